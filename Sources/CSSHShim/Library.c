#define _GNU_SOURCE
#include "CSSHShim.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

// libssh2 keeps passwords, keys and what it decrypts in memory that it frees as it is.

static void *allocate(size_t count, void **abstract) {
    (void)abstract;
    return malloc(count);
}

static void wipe_and_free(void *memory, void **abstract) {
    (void)abstract;
    if (!memory) return;
    explicit_bzero(memory, malloc_usable_size(memory));
    free(memory);
}

static void *reallocate(void *memory, size_t count, void **abstract) {
    if (!memory) return malloc(count);
    size_t old = malloc_usable_size(memory);
    void *fresh = malloc(count);
    if (!fresh) return NULL;
    memcpy(fresh, memory, old < count ? old : count);
    wipe_and_free(memory, abstract);
    return fresh;
}

static int64_t now(void) {
    struct timespec time;
    if (clock_gettime(CLOCK_MONOTONIC, &time) != 0) return 0;
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

void kssh_wire_limit(struct kssh_wire *wire, int64_t nanoseconds) { wire->until = now() + nanoseconds; }

static ssize_t receive(libssh2_socket_t socket, void *buffer, size_t length, int flags, void **abstract) {
    struct kssh_wire *wire = *abstract;
    if (wire->received >= wire->allowance) {
        wire->exceeded = true;
        return -EMSGSIZE;
    }
    // libssh2 reads on by itself as long as something comes, also what it throws away: only here can that be ended.
    if (wire->until && now() >= wire->until) {
        wire->overdue = true;
        return -ETIMEDOUT;
    }
    ssize_t count = recv(socket, buffer, length, flags);
    if (count < 0) return -errno;
    wire->received += count;
    return count;
}

static void remember_words(char *place, size_t capacity, const char *text, int length) {
    size_t count = text && length > 0 ? (size_t)length : 0;
    if (count > capacity - 1) count = capacity - 1;
    if (count) memcpy(place, text, count);
    place[count] = 0;
}

static void disconnected(LIBSSH2_SESSION *session, int reason, const char *message, int message_length, const char *language,
                         int language_length, void **abstract) {
    (void)session, (void)language, (void)language_length;
    struct kssh_wire *wire = *abstract;
    wire->disconnected = true;
    wire->disconnect_reason = reason;
    remember_words(wire->disconnect_words, sizeof wire->disconnect_words, message, message_length);
}

LIBSSH2_SESSION *kssh_session_create(struct kssh_wire *wire) {
    LIBSSH2_SESSION *session = libssh2_session_init_ex(allocate, wipe_and_free, reallocate, wire);
    if (!session) return NULL;
    libssh2_session_callback_set(session, LIBSSH2_CALLBACK_RECV, (void *)receive);
    libssh2_session_callback_set(session, LIBSSH2_CALLBACK_DISCONNECT, (void *)disconnected);
    libssh2_session_set_blocking(session, 0);
    return session;
}

static void answer(const char *name, int name_length, const char *instruction, int instruction_length, int count,
                   const LIBSSH2_USERAUTH_KBDINT_PROMPT *prompts, LIBSSH2_USERAUTH_KBDINT_RESPONSE *responses,
                   void **abstract) {
    (void)name, (void)name_length, (void)instruction, (void)instruction_length;
    struct kssh_wire *wire = *abstract;
    for (int index = 0; index < count; index++) {
        responses[index].text = NULL;
        responses[index].length = 0;
        // A question that shows its answer, a second one, or several at once: not the password.
        if (count == 1 && !prompts[index].echo && wire->answered == 0 && wire->unanswered == 0 && wire->password) {
            char *copy = malloc(wire->password_length ? wire->password_length : 1);
            if (copy) {
                memcpy(copy, wire->password, wire->password_length);
                responses[index].text = copy;
                responses[index].length = (unsigned int)wire->password_length;
                wire->answered++;
                continue;
            }
        }
        if (wire->unanswered++ == 0)
            remember_words(wire->question, sizeof wire->question, prompts[index].text, (int)prompts[index].length);
    }
}

int kssh_login_interactively(LIBSSH2_SESSION *session, const char *username, unsigned int username_length) {
    return libssh2_userauth_keyboard_interactive_ex(session, username, username_length, answer);
}
