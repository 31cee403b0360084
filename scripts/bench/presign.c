// Writes a file of signed requests, all of the same length and no two with the same signature.
//
//   presign APPLICATIONS ACCOUNTS HOST PATH COUNT FIRST OUTPUT
//
// APPLICATIONS has lines "key id TAB secret", ACCOUNTS lines "asset TAB account"; names in one file have one length.
// Request k is signed by application k modulo their number, asks for account k modulo theirs, and carries the ignored
// parameter n=FIRST+k, which makes its signature its own. The first line of the output is "length count".
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ORGANIZATION "00000000-0000-0000-0000-000000000002"

struct pair { char *first, *second; };

static struct pair *read_pairs(const char *path, size_t *count) {
    FILE *file = fopen(path, "r");
    if (!file) { perror(path); exit(1); }
    struct pair *pairs = NULL;
    size_t room = 0;
    char line[1024];
    *count = 0;
    while (fgets(line, sizeof line, file)) {
        char *tab = strchr(line, '\t');
        if (!tab) continue;
        *tab = 0;
        tab[1 + strcspn(tab + 1, "\n")] = 0;
        if (*count == room) pairs = realloc(pairs, (room = room ? 2 * room : 1024) * sizeof *pairs);
        pairs[(*count)++] = (struct pair){strdup(line), strdup(tab + 1)};
    }
    fclose(file);
    if (*count == 0) { fprintf(stderr, "%s is empty\n", path); exit(1); }
    return pairs;
}

int main(int argc, char **argv) {
    if (argc != 8) { fprintf(stderr, "usage: presign APPLICATIONS ACCOUNTS HOST PATH COUNT FIRST OUTPUT\n"); return 2; }
    size_t application_count, account_count;
    struct pair *applications = read_pairs(argv[1], &application_count);
    struct pair *accounts = read_pairs(argv[2], &account_count);
    const char *host = argv[3], *path = argv[4];
    unsigned long long count = strtoull(argv[5], NULL, 10), first = strtoull(argv[6], NULL, 10);
    FILE *output = fopen(argv[7], "w");
    if (!output) { perror(argv[7]); return 1; }

    char date[64];
    time_t now = time(NULL);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime(&now));

    int length = -1;
    for (unsigned long long k = 0; k < count; k++) {
        struct pair *application = &applications[k % application_count];
        // Another stride than the applications', so that each of them asks for many accounts.
        struct pair *account = &accounts[(k / application_count * 7919 + k) % account_count];
        char target[512], text[1024], request[2048];
        snprintf(target, sizeof target, "%s?asset=%s&account=%s&n=%012llu", path, account->first, account->second, first + k);
        int text_length = snprintf(text, sizeof text, "(request-target): get %s\naccept: application/json\ndate: %s\nx-jms-org: " ORGANIZATION,
                                   target, date);
        unsigned char mac[EVP_MAX_MD_SIZE], encoded[128];
        unsigned int mac_length = 0;
        HMAC(EVP_sha256(), application->second, (int)strlen(application->second), (unsigned char *)text, (size_t)text_length, mac, &mac_length);
        EVP_EncodeBlock(encoded, mac, (int)mac_length);
        int written = snprintf(request, sizeof request,
                               "GET %s HTTP/1.1\r\nHost: %s\r\nAccept: application/json\r\nDate: %s\r\nX-JMS-ORG: " ORGANIZATION
                               "\r\nX-Source: jms-pam\r\nAuthorization: Signature keyId=\"%s\",algorithm=\"hmac-sha256\","
                               "headers=\"(request-target) accept date x-jms-org\",signature=\"%s\"\r\n\r\n",
                               target, host, date, application->first, encoded);
        if (length < 0) fprintf(output, "%d %llu\n", length = written, count);
        if (written != length) { fprintf(stderr, "request %llu has another length: names must have one length\n", k); return 1; }
        fwrite(request, 1, (size_t)written, output);
    }
    return fclose(output) == 0 ? 0 : 1;
}
