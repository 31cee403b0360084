#pragma once
// What Swift cannot call itself: libmicrohttpd's variadic functions, and everything of GnuTLS.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/socket.h>
#include <microhttpd.h>

// MARK: - Daemon

/// One daemon in external epoll mode: no thread of its own, driven by khttp_daemon_run on the caller's thread.
struct khttp_daemon_options {
    int listen_socket;
    bool tls;
    bool suspends;                 ///< allow MHD_suspend_connection (the fall-back mode)
    unsigned int connection_limit;
    size_t connection_memory;      ///< bytes a connection may use for its headers and buffers
    const char *priorities;        ///< GnuTLS priority string, copied by the daemon
    void *context;                 ///< first argument of every callback
    MHD_AcceptPolicyCallback accepts;
    MHD_AccessHandlerCallback handler;
    void *(*request_line)(void *context, const char *target, struct MHD_Connection *connection);
    MHD_RequestCompletedCallback completed;
    MHD_NotifyConnectionCallback connection_changed;
    MHD_LogCallback logger;
};

/// Starts a daemon; NULL when libmicrohttpd refuses (its logger was told why). MHD_start_daemon is variadic.
struct MHD_Daemon *khttp_daemon_start(const struct khttp_daemon_options *options);
/// The daemon's epoll descriptor. MHD_get_daemon_info is variadic.
int khttp_daemon_epoll(struct MHD_Daemon *daemon);
/// The connection's socket. MHD_get_connection_info is variadic.
int khttp_connection_socket(struct MHD_Connection *connection);
/// Bytes of the head of the request that was read, from its method to the end of its empty line; 0 when it cannot be told.
size_t khttp_head_size(struct MHD_Connection *connection);
/// What connection_changed stored when the connection started.
void *khttp_connection_context(struct MHD_Connection *connection);

/// A non-blocking eventfd, or -1. Its header is not in Swift's view of Glibc.
int khttp_eventfd(void);
/// The poll event for "the other side has finished sending"; a GNU extension that Glibc does not show Swift.
extern const short khttp_peer_finished;
/// Names the calling thread for debuggers and `top`; at most 15 characters. A GNU extension that Glibc does not show Swift.
void khttp_name_thread(const char *name);

// MARK: - TLS

/// Certificate and ticket key of one listener, shared by its loops; every function is thread-safe.
typedef struct khttp_tls khttp_tls;
/// One connection's TLS transport; it belongs to its loop, and another thread may send on it: functions are thread-safe.
typedef struct khttp_wire khttp_wire;

khttp_tls *khttp_tls_create(void);
void khttp_tls_destroy(khttp_tls *tls);
/// Reads a certificate chain and its key (PEM files) and uses them for new connections. 0, or a GnuTLS error code.
/// Connections that already run keep the certificate they began with.
int khttp_tls_load(khttp_tls *tls, const char *certificate_path, const char *key_path);
/// Makes a new session ticket key; tickets under the old one then mean a full handshake. 0, or a GnuTLS error code.
int khttp_tls_rotate_tickets(khttp_tls *tls);
/// The text of a GnuTLS error code.
const char *khttp_tls_describe(int code);

/// Called where the library refuses a request by itself with a page of its own: what is put into the wire meanwhile takes its place.
typedef void (*khttp_refusal)(void *context, struct MHD_Connection *connection, unsigned int status);

/// Takes over the transport of a connection that has just been accepted. NULL without memory or certificate.
khttp_wire *khttp_wire_open(khttp_tls *tls, struct MHD_Connection *connection, khttp_refusal refused, void *context);
/// Ends the wire with its connection: what may leave is sent as far as the socket takes it. Whoever drops it last frees its memory.
void khttp_wire_close(khttp_wire *wire);
/// Keeps the wire's memory for another thread, until `khttp_wire_drop`.
void khttp_wire_hold(khttp_wire *wire);
void khttp_wire_drop(khttp_wire *wire);
/// Whether the loop can write answers itself: the library's own can be kept from the wire.
bool khttp_wire_answers(void);
/// Whether what the library sends is dropped, since the loop writes the answer of this request.
void khttp_wire_swallow(khttp_wire *wire, bool swallows);
/// What the library sends next is an answer that the loop gave it.
void khttp_wire_pass(khttp_wire *wire);
/// Adds bytes to the answer that waits, copied; 16 KiB at most. False without memory or room.
bool khttp_wire_put(khttp_wire *wire, const void *bytes, size_t count);
/// Wipes the answer that waits for leave.
void khttp_wire_forget(khttp_wire *wire);
/// The answer that waits may leave: whoever comes next, on whichever thread, makes it a TLS record.
void khttp_wire_let_go(khttp_wire *wire);
/// Sends the answer that may leave, and records that the socket did not take yet: true when nothing is left. An answer that must not
/// leave yet is not touched.
bool khttp_wire_send(khttp_wire *wire);
/// What is left of the answers that were let go.
typedef enum {
    khttp_state_empty,    ///< the socket has taken all of them
    khttp_state_waiting,  ///< the socket has not taken all of them yet
    khttp_state_failed,   ///< one could not be made a record: it did not leave, and the connection ends
} khttp_wire_rest;
/// And how often nothing was left, from zero and around.
khttp_wire_rest khttp_wire_state(khttp_wire *wire, unsigned int *emptied);

// MARK: - Memory

/// Memory for plaintext: khttp_wiped_free overwrites it before it goes back to the allocator. NULL without memory.
void *khttp_wiped_allocate(size_t capacity);
/// The free callback of a response body allocated by khttp_wiped_allocate; NULL does nothing.
void khttp_wiped_free(void *bytes);
/// Overwrites memory in a way that the compiler may not leave out.
void khttp_wipe(void *bytes, size_t count);
/// Overwrites the part of the stack that finished calls have left behind (16 KiB below the caller): libraries copy
/// plaintext there on its way to and from TLS.
void khttp_wipe_stack(void);
