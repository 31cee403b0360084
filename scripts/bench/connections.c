// Opens TLS connections one after the other, sends one request on each, and counts how many a second were answered 200.
//
//   connections ADDRESS PORT REQUESTS SECONDS THREADS full|resumed
//
// REQUESTS is a file of presign. With "resumed" each connection offers the session ticket of the one before.
// Prints "connections per second, resumed share, failures".
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct sockaddr_in address;
static SSL_CTX *context;
static char *requests;
static size_t request_length, request_count;
static double seconds;
static int resuming, thread_count;

struct tally { pthread_t thread; size_t index, done, resumed, failed; };

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

// One connection; returns whether it was answered 200, and replaces the session by the newest ticket.
static int visit(const char *request, SSL_SESSION **session, int *resumed) {
    int answered = 0, yes = 1, descriptor = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) != 0) { close(descriptor); return 0; }
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    SSL *ssl = SSL_new(context);
    SSL_set_fd(ssl, descriptor);
    if (resuming && *session) SSL_set_session(ssl, *session);
    if (SSL_connect(ssl) == 1) {
        char answer[4096];
        int have = 0, got;
        SSL_write(ssl, request, (int)request_length);
        while (have < (int)sizeof answer - 1 && (got = SSL_read(ssl, answer + have, (int)sizeof answer - 1 - have)) > 0) {
            answer[have += got] = 0;
            char *end = strstr(answer, "\r\n\r\n"), *length = strcasestr(answer, "\r\ncontent-length:");
            if (end && length && have - (end + 4 - answer) >= atoi(length + 17)) break;
        }
        answered = have > 12 && strncmp(answer + 9, "200", 3) == 0;
        *resumed = SSL_session_reused(ssl);
        if (resuming) {
            if (*session) SSL_SESSION_free(*session);
            *session = SSL_get1_session(ssl);
        }
        // Without it OpenSSL holds the session for broken, and does not offer it again.
        SSL_shutdown(ssl);
    }
    SSL_free(ssl);
    close(descriptor);
    return answered;
}

static void *run(void *argument) {
    struct tally *tally = argument;
    SSL_SESSION *session = NULL;
    double end = now() + seconds;
    for (size_t k = tally->index; now() < end; k += (size_t)thread_count) {
        int resumed = 0;
        if (visit(requests + k % request_count * request_length, &session, &resumed)) tally->done++; else tally->failed++;
        tally->resumed += (size_t)resumed;
    }
    return NULL;
}

int main(int argc, char **argv) {
    if (argc != 7) { fprintf(stderr, "usage: connections ADDRESS PORT REQUESTS SECONDS THREADS full|resumed\n"); return 2; }
    signal(SIGPIPE, SIG_IGN);
    address.sin_family = AF_INET;
    inet_pton(AF_INET, argv[1], &address.sin_addr);
    address.sin_port = htons((unsigned short)atoi(argv[2]));
    FILE *file = fopen(argv[3], "r");
    if (!file || fscanf(file, "%zu %zu", &request_length, &request_count) != 2) { perror(argv[3]); return 1; }
    fgetc(file);
    if (request_count > 100000) request_count = 100000;
    requests = malloc(request_length * request_count);
    if (!requests || fread(requests, request_length, request_count, file) != request_count) { fprintf(stderr, "short file\n"); return 1; }
    seconds = atof(argv[4]);
    thread_count = atoi(argv[5]);
    resuming = strcmp(argv[6], "resumed") == 0;
    context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);

    struct tally *tallies = calloc((size_t)thread_count, sizeof *tallies), all = {0};
    double start = now();
    for (int k = 0; k < thread_count; k++) {
        tallies[k].index = (size_t)k;
        pthread_create(&tallies[k].thread, NULL, run, &tallies[k]);
    }
    for (int k = 0; k < thread_count; k++) {
        pthread_join(tallies[k].thread, NULL);
        all.done += tallies[k].done;
        all.resumed += tallies[k].resumed;
        all.failed += tallies[k].failed;
    }
    printf("%.0f %.2f %zu\n", (double)all.done / (now() - start), all.done ? (double)all.resumed / (double)all.done : 0, all.failed);
    return 0;
}
