#pragma once
// What Swift cannot call itself: callbacks of libssh2, and calls of the system that pass credentials and descriptors.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <libssh2.h>

// MARK: - libssh2

/// What a session's callbacks read and write. It outlives the session and is used by one thread at a time.
struct kssh_wire {
    int64_t received;            ///< bytes that came over the socket
    int64_t allowance;           ///< from this many on the socket is treated as broken
    bool exceeded;               ///< it was
    int64_t until;               ///< nanoseconds of CLOCK_MONOTONIC from which on nothing is read; 0: for ever
    bool overdue;                ///< it was tried all the same
    bool disconnected;           ///< the server said goodbye
    int disconnect_reason;
    char disconnect_words[512];  ///< not terminated by the server; always by us
    const void *password;        ///< the answer to the one hidden question; lent for one call
    size_t password_length;
    int answered;                ///< questions that got the password
    int unanswered;              ///< questions that did not
    char question[512];          ///< the first that did not
};

/// Sets how long the wire is read from now on, in nanoseconds.
void kssh_wire_limit(struct kssh_wire *wire, int64_t nanoseconds);
/// A session whose memory is wiped before it is freed. NULL without memory. Free it with libssh2_session_free.
LIBSSH2_SESSION *kssh_session_create(struct kssh_wire *wire);
/// Keyboard-interactive login that answers the first question that hides its answer with the wire's password, and nothing else.
int kssh_login_interactively(LIBSSH2_SESSION *session, const char *username, unsigned int username_length);

// MARK: - System

/// A pair of connected stream sockets, closed on exec. 0, or -1 with errno.
int kssh_socket_pair(int descriptors[2]);
/// A pipe, closed on exec. 0, or -1 with errno.
int kssh_pipe(int descriptors[2]);
/// accept4 with SOCK_CLOEXEC. A descriptor, or -1 with errno.
int kssh_accept(int listener);
/// The user and the process at the other end of a unix socket. 0, or -1 with errno.
int kssh_peer(int descriptor, uid_t *user, pid_t *process);
/// Sends one byte with a descriptor, as OpenSSH's multiplexer expects. 0, or -1 with errno.
int kssh_send_descriptor(int socket, int descriptor);

/// A new terminal, closed on exec: its controlling side, and the name of its other side. -1 with errno.
int kssh_terminal_open(char *name, size_t capacity);
/// The side of a terminal that a program sees: lines, no echo, nothing translated. -1 with errno.
int kssh_terminal_other_side(const char *name);
/// Lets every byte pass as it is. 0, or -1 with errno.
int kssh_terminal_make_raw(int descriptor);

/// Starts a program in a session of its own.
///
/// `input` becomes its descriptors 0 and 1, `errors` its 2; it inherits no other one. `terminal` (a name) becomes its controlling
/// terminal. 0 and the process in `process`, or an error number.
int kssh_spawn(pid_t *process, const char *program, char *const arguments[], char *const environment[], int input, int errors,
               const char *terminal);
