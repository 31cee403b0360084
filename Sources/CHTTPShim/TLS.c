#define _GNU_SOURCE
#include "CHTTPShim.h"
#include "Internal.h"
#include <dlfcn.h>
#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/// Certificates a chain may have.
enum { chain_limit = 16 };
/// Gathered bytes beyond which records are sent at once again.
enum { gather_limit = 32768 };
/// Ciphertext that is received ahead of what GnuTLS asks for: most requests with the head of their record.
enum { ahead_size = 1024 };
/// The largest piece that is taken from what was received ahead: GnuTLS asks for the five bytes of a record's head alone.
enum { record_head = 5 };

/// A chain with its key; counted, so that a reload leaves running handshakes alone.
struct certificate {
    unsigned int references;  // under the owner's lock
    unsigned int count;
    gnutls_privkey_t key;
    gnutls_pcert_st chain[chain_limit];
};

struct khttp_tls {
    pthread_mutex_t lock;
    struct certificate *current;
    gnutls_datum_t ticket_key;
};

struct khttp_wire {
    // The loop and whoever sends an answer work on one connection in turn: what changes is under the lock.
    pthread_mutex_t lock;
    atomic_uint references;
    bool closed;  // the connection is over: session and socket are not ours any more
    khttp_tls *tls;
    struct MHD_Connection *connection;
    gnutls_session_t session;
    struct certificate *certificate;
    khttp_refusal refused;
    void *context;  // of `refused`
    int socket;
    bool gathers;   // records of an answer are collected for one send
    // These three are the loop's alone.
    bool swallows;  // what the library sends is dropped: the loop writes the answer
    bool passes;    // what the library sends is an answer of the loop
    bool ended;     // a request was refused by the library: nothing follows
    bool uncorked;
    bool failed;  // an answer could not be made a record
    unsigned char *pending;  // ciphertext that waits: [sent, filled)
    size_t sent, filled, capacity;
    unsigned int emptied;  // how often nothing was left of it
    bool leaves;            // the answer may leave: whoever comes next makes it a record
    unsigned char *answer;  // plaintext of an answer that waits
    size_t answer_count, answer_capacity;
    size_t taken, received;  // ciphertext that came ahead: [taken, received)
    unsigned char ahead[ahead_size];
};

const char *khttp_tls_describe(int code) { return gnutls_strerror(code); }

static void destroy_certificate(struct certificate *certificate)
{
    if (certificate == NULL) return;
    for (unsigned int i = 0; i < certificate->count; i++) gnutls_pcert_deinit(&certificate->chain[i]);
    if (certificate->key != NULL) gnutls_privkey_deinit(certificate->key);
    free(certificate);
}

static struct certificate *retain_certificate(khttp_tls *tls)
{
    pthread_mutex_lock(&tls->lock);
    struct certificate *certificate = tls->current;
    if (certificate != NULL) certificate->references++;
    pthread_mutex_unlock(&tls->lock);
    return certificate;
}

static void release_certificate(khttp_tls *tls, struct certificate *certificate)
{
    if (certificate == NULL) return;
    pthread_mutex_lock(&tls->lock);
    bool last = --certificate->references == 0;
    pthread_mutex_unlock(&tls->lock);
    if (last) destroy_certificate(certificate);
}

khttp_tls *khttp_tls_create(void)
{
    khttp_tls *tls = calloc(1, sizeof *tls);
    if (tls == NULL) return NULL;
    khttp_keep_record_blocks();
    pthread_mutex_init(&tls->lock, NULL);
    if (khttp_tls_rotate_tickets(tls) != 0) {
        khttp_tls_destroy(tls);
        return NULL;
    }
    return tls;
}

void khttp_tls_destroy(khttp_tls *tls)
{
    if (tls == NULL) return;
    release_certificate(tls, tls->current);
    if (tls->ticket_key.data != NULL) {
        explicit_bzero(tls->ticket_key.data, tls->ticket_key.size);
        gnutls_free(tls->ticket_key.data);
    }
    pthread_mutex_destroy(&tls->lock);
    free(tls);
}

int khttp_tls_rotate_tickets(khttp_tls *tls)
{
    gnutls_datum_t fresh = {NULL, 0};
    int code = gnutls_session_ticket_key_generate(&fresh);
    if (code != 0) return code;
    pthread_mutex_lock(&tls->lock);
    gnutls_datum_t old = tls->ticket_key;
    tls->ticket_key = fresh;
    pthread_mutex_unlock(&tls->lock);
    if (old.data != NULL) {
        explicit_bzero(old.data, old.size);
        gnutls_free(old.data);
    }
    return 0;
}

/// 0 when the private key belongs to the first certificate of the chain.
static int check_pair(struct certificate *certificate)
{
    unsigned char of_key[64], of_chain[64];
    size_t key_size = sizeof of_key, chain_size = sizeof of_chain;
    gnutls_pubkey_t derived = NULL;
    int code = gnutls_pubkey_init(&derived);
    if (code != 0) return code;
    code = gnutls_pubkey_import_privkey(derived, certificate->key, 0, 0);
    if (code == 0) code = gnutls_pubkey_get_key_id(derived, GNUTLS_KEYID_USE_SHA256, of_key, &key_size);
    if (code == 0) {
        code = gnutls_pubkey_get_key_id(certificate->chain[0].pubkey, GNUTLS_KEYID_USE_SHA256, of_chain, &chain_size);
    }
    if (code == 0 && (key_size != chain_size || memcmp(of_key, of_chain, key_size) != 0)) {
        code = GNUTLS_E_CERTIFICATE_KEY_MISMATCH;
    }
    gnutls_pubkey_deinit(derived);
    return code;
}

static int read_certificate(struct certificate *certificate, const char *certificate_path, const char *key_path)
{
    gnutls_datum_t text = {NULL, 0};
    int code = gnutls_load_file(certificate_path, &text);
    if (code != 0) return code;
    unsigned int count = chain_limit;
    code = gnutls_pcert_list_import_x509_raw(certificate->chain, &count, &text, GNUTLS_X509_FMT_PEM, 0);
    gnutls_free(text.data);
    if (code != 0) return code;
    if (count == 0) return GNUTLS_E_NO_CERTIFICATE_FOUND;
    certificate->count = count;

    gnutls_datum_t key = {NULL, 0};
    code = gnutls_load_file(key_path, &key);
    if (code != 0) return code;
    code = gnutls_privkey_init(&certificate->key);
    if (code == 0) {
        code = gnutls_privkey_import_x509_raw(certificate->key, &key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN);
    }
    explicit_bzero(key.data, key.size);
    gnutls_free(key.data);
    return code != 0 ? code : check_pair(certificate);
}

int khttp_tls_load(khttp_tls *tls, const char *certificate_path, const char *key_path)
{
    struct certificate *certificate = calloc(1, sizeof *certificate);
    if (certificate == NULL) return GNUTLS_E_MEMORY_ERROR;
    certificate->references = 1;
    int code = read_certificate(certificate, certificate_path, key_path);
    if (code != 0) {
        destroy_certificate(certificate);
        return code;
    }
    pthread_mutex_lock(&tls->lock);
    struct certificate *old = tls->current;
    tls->current = certificate;
    pthread_mutex_unlock(&tls->lock);
    release_certificate(tls, old);
    return 0;
}

/// GnuTLS asks for the chain; the callback has no closure, so the wire is found through the transport pointer.
static int retrieve(gnutls_session_t session, const gnutls_datum_t *authorities, int authority_count,
                    const gnutls_pk_algorithm_t *algorithms, int algorithm_count,
                    gnutls_pcert_st **chain, unsigned int *chain_count, gnutls_privkey_t *key)
{
    (void)authorities, (void)authority_count, (void)algorithms, (void)algorithm_count;
    gnutls_transport_ptr_t receives = NULL, sends = NULL;
    gnutls_transport_get_ptr2(session, &receives, &sends);
    khttp_wire *wire = sends;
    // Until the wire is there, both are the library's socket.
    if ((uintptr_t)wire <= INT_MAX || wire != receives || wire->session != session || wire->certificate == NULL) return -1;
    *chain = wire->certificate->chain;
    *chain_count = wire->certificate->count;
    *key = wire->certificate->key;
    return 0;
}

void *khttp_tls_retrieve_address(void) { return (void *)(uintptr_t)&retrieve; }

// MARK: - Wire

static bool send_pending(khttp_wire *wire)
{
    while (wire->sent < wire->filled) {
        ssize_t count = send(wire->socket, wire->pending + wire->sent, wire->filled - wire->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count < 0) {
            if (errno == EINTR) continue;
            return false;
        }
        wire->sent += (size_t)count;
    }
    khttp_keep_gathered(wire->pending, wire->capacity);
    wire->pending = NULL;
    wire->sent = wire->filled = wire->capacity = 0;
    wire->emptied++;
    return true;
}

/// Appends records to what waits; false without memory or room.
static bool append(khttp_wire *wire, const giovec_t *parts, int count, size_t total)
{
    if (total > gather_limit || wire->filled > gather_limit - total) return false;
    if (wire->pending == NULL) wire->pending = khttp_take_gathered(&wire->capacity);
    size_t needed = wire->filled + total;
    if (needed > wire->capacity) {
        size_t capacity = needed < 1024 ? 1024 : 2 * needed;
        unsigned char *grown = realloc(wire->pending, capacity);
        if (grown == NULL) return false;
        wire->pending = grown;
        wire->capacity = capacity;
    }
    for (int i = 0; i < count; i++) {
        memcpy(wire->pending + wire->filled, parts[i].iov_base, parts[i].iov_len);
        wire->filled += parts[i].iov_len;
    }
    return true;
}

// MARK: - One record an answer

/// The largest answer that the loop writes itself, head and body.
enum { answer_limit = 16 * 1024, answer_least = 1024 };

/// Whether this thread's sessions are libmicrohttpd's, and their transport pointers wires.
static _Thread_local bool is_loop;

/// The wire of a session; NULL for one that is none of ours.
static khttp_wire *wire_of(gnutls_session_t session)
{
    void *pointer = is_loop ? gnutls_transport_get_ptr(session) : NULL;
    // Until its wire is there, the pointer of a session is the number of its socket.
    return (uintptr_t)pointer <= INT_MAX ? NULL : pointer;
}

/// Wipes the answer; the block stays with its connection, for the next one.
static void forget(khttp_wire *wire)
{
    if (wire->answer_count != 0) explicit_bzero(wire->answer, wire->answer_count);
    if (wire->answer_capacity > answer_least) {
        free(wire->answer);
        wire->answer = NULL;
        wire->answer_capacity = 0;
    }
    wire->answer_count = 0;
    wire->leaves = false;
}

/// Makes a record of the answer if it may leave, or several where the client takes short ones only. The library believes that it was sent:
/// if that fails, for want of memory, the connection ends. The only way from plaintext to the wire.
static void seal(khttp_wire *wire)
{
    if (!wire->leaves) return;
    if (wire->session == NULL) {
        forget(wire);
        wire->failed = true;
        return;
    }
    size_t done = 0;
    wire->gathers = true;
    while (done < wire->answer_count) {
        ssize_t sent = gnutls_record_send2(wire->session, wire->answer + done, wire->answer_count - done, 0, 0);
        if (sent <= 0) break;
        done += (size_t)sent;
    }
    wire->gathers = false;
    bool isWhole = done == wire->answer_count;
    forget(wire);
    if (isWhole) return;
    wire->failed = true;
    shutdown(wire->socket, SHUT_RDWR);
}

/// The status of an answer that the library begins to send; 0 for anything else.
static unsigned int status_of(const unsigned char *bytes, size_t count)
{
    enum { version = 9, digits = 3 };  // "HTTP/1.1 "
    if (count < version + digits || memcmp(bytes, "HTTP/1.", 7) != 0) return 0;
    unsigned int status = 0;
    for (int i = 0; i < digits; i++) status = status * 10 + (unsigned int)(bytes[version + i] - '0');
    return status;
}

/// Puts the loop's own answer in the place of a page of the library, which refuses some malformed requests before any handler sees
/// them; false where the bytes are no such page. The library ends the connection after it.
static bool replace_page(khttp_wire *wire, const void *bytes, size_t count)
{
    if (wire->passes || wire->refused == NULL) return false;
    unsigned int status = status_of(bytes, count);
    if (status < 400 || status > 599) return false;
    wire->swallows = wire->ended = true;
    wire->refused(wire->context, wire->connection, status);
    khttp_wire_let_go(wire);
    khttp_wire_send(wire);
    return true;
}

/// What the library sends while it is the loop that writes the answer.
static ssize_t drop(khttp_wire *wire, size_t count)
{
    pthread_mutex_lock(&wire->lock);
    // Where what waits for a full socket leaves no room for one more answer, the library is told to wait before the next request.
    bool waits = !wire->ended && wire->filled > gather_limit / 4 && !send_pending(wire);
    pthread_mutex_unlock(&wire->lock);
    return waits ? GNUTLS_E_AGAIN : (ssize_t)count;
}

/// Whether an answer waits that must not leave yet; one that may becomes a record.
static bool is_withheld(khttp_wire *wire)
{
    pthread_mutex_lock(&wire->lock);
    seal(wire);
    bool waits = wire->answer_count != 0;
    pthread_mutex_unlock(&wire->lock);
    return waits;
}

/// Takes the place of GnuTLS's function of that name in this program, for libmicrohttpd has no hook before encryption: what the
/// library says in place of an answer that the loop writes itself is dropped here. khttp_wire_answers tells whether the linker let it.
ssize_t gnutls_record_send(gnutls_session_t session, const void *bytes, size_t count)
{
    khttp_wire *wire = wire_of(session);
    if (wire == NULL) return gnutls_record_send2(session, bytes, count, 0, 0);
    if (wire->swallows) return drop(wire, count);
    // Nothing may overtake an answer that waits: the library's own replies to a broken request behind it end the connection.
    if (is_withheld(wire)) return GNUTLS_E_PUSH_ERROR;
    if (replace_page(wire, bytes, count)) return (ssize_t)count;
    pthread_mutex_lock(&wire->lock);
    // The library may cork for what it sends in portions.
    wire->uncorked = false;
    ssize_t result = gnutls_record_send2(session, bytes, count, 0, 0);
    pthread_mutex_unlock(&wire->lock);
    return result;
}

static ssize_t (*next_record_recv)(gnutls_session_t, void *, size_t);

/// Takes the place of GnuTLS's function too: another thread may be sending on the session that the loop reads.
ssize_t gnutls_record_recv(gnutls_session_t session, void *bytes, size_t count)
{
    if (next_record_recv == NULL) return GNUTLS_E_PULL_ERROR;
    khttp_wire *wire = wire_of(session);
    if (wire == NULL) return next_record_recv(session, bytes, count);
    pthread_mutex_lock(&wire->lock);
    ssize_t result = next_record_recv(session, bytes, count);
    pthread_mutex_unlock(&wire->lock);
    return result;
}

static int (*next_bye)(gnutls_session_t, gnutls_close_request_t);
static void (*next_deinit)(gnutls_session_t);

/// And of these two, with which the library ends a connection: it tells of that only when the session is gone.
int gnutls_bye(gnutls_session_t session, gnutls_close_request_t how)
{
    khttp_wire *wire = wire_of(session);
    if (wire != NULL) {
        pthread_mutex_lock(&wire->lock);
        seal(wire);
    }
    int result = next_bye == NULL ? GNUTLS_E_PUSH_ERROR : next_bye(session, how);
    if (wire != NULL) pthread_mutex_unlock(&wire->lock);
    return result;
}

void gnutls_deinit(gnutls_session_t session)
{
    khttp_wire *wire = session == NULL ? NULL : wire_of(session);
    if (wire != NULL) {
        pthread_mutex_lock(&wire->lock);
        seal(wire);
        // What gets leave from now on comes too late.
        wire->session = NULL;
        pthread_mutex_unlock(&wire->lock);
    }
    if (next_deinit != NULL) next_deinit(session);
}

/// The functions whose places were taken; a program links GnuTLS, so they are there.
__attribute__((constructor)) static void find_next(void)
{
    next_record_recv = (ssize_t(*)(gnutls_session_t, void *, size_t))(uintptr_t)dlsym(RTLD_NEXT, "gnutls_record_recv");
    next_bye = (int (*)(gnutls_session_t, gnutls_close_request_t))(uintptr_t)dlsym(RTLD_NEXT, "gnutls_bye");
    next_deinit = (void (*)(gnutls_session_t))(uintptr_t)dlsym(RTLD_NEXT, "gnutls_deinit");
}

bool khttp_wire_answers(void)
{
    return dlsym(RTLD_DEFAULT, "gnutls_record_send") == (void *)(uintptr_t)&gnutls_record_send
        && dlsym(RTLD_DEFAULT, "gnutls_record_recv") == (void *)(uintptr_t)&gnutls_record_recv
        && dlsym(RTLD_DEFAULT, "gnutls_bye") == (void *)(uintptr_t)&gnutls_bye
        && dlsym(RTLD_DEFAULT, "gnutls_deinit") == (void *)(uintptr_t)&gnutls_deinit;
}

void khttp_wire_swallow(khttp_wire *wire, bool swallows)
{
    wire->swallows = swallows || wire->ended;
    wire->passes = false;
}

void khttp_wire_pass(khttp_wire *wire) { wire->passes = true; }

static bool put(khttp_wire *wire, const void *bytes, size_t count)
{
    if (count > answer_limit - wire->answer_count) return false;
    size_t needed = wire->answer_count + count;
    if (needed > wire->answer_capacity) {
        size_t capacity = answer_least;
        while (capacity < needed) capacity *= 2;
        unsigned char *larger = malloc(capacity);
        if (larger == NULL) return false;
        if (wire->answer != NULL) {
            memcpy(larger, wire->answer, wire->answer_count);
            explicit_bzero(wire->answer, wire->answer_count);
            free(wire->answer);
        }
        wire->answer = larger;
        wire->answer_capacity = capacity;
    }
    memcpy(wire->answer + wire->answer_count, bytes, count);
    wire->answer_count = needed;
    return true;
}

bool khttp_wire_put(khttp_wire *wire, const void *bytes, size_t count)
{
    if (count == 0) return true;
    pthread_mutex_lock(&wire->lock);
    seal(wire);
    bool isThere = put(wire, bytes, count);
    pthread_mutex_unlock(&wire->lock);
    return isThere;
}

void khttp_wire_forget(khttp_wire *wire)
{
    pthread_mutex_lock(&wire->lock);
    seal(wire);
    forget(wire);
    pthread_mutex_unlock(&wire->lock);
}

void khttp_wire_let_go(khttp_wire *wire)
{
    pthread_mutex_lock(&wire->lock);
    wire->leaves = wire->answer_count != 0;
    pthread_mutex_unlock(&wire->lock);
}

// MARK: - Transport

/// GnuTLS hands over finished records. They are ciphertext, so holding them back for one send leaves no plaintext
/// behind, unlike gnutls_record_cork, which copies the plaintext into a buffer that is freed without being wiped.
static ssize_t push(gnutls_transport_ptr_t pointer, const giovec_t *parts, int count)
{
    khttp_wire *wire = pointer;
    size_t total = 0;
    for (int i = 0; i < count; i++) total += parts[i].iov_len;
    if (wire->gathers && append(wire, parts, count, total)) return (ssize_t)total;

    if (wire->filled != 0 && !send_pending(wire)) {
        gnutls_transport_set_errno(wire->session, errno);
        return -1;
    }
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)parts, .msg_iovlen = (size_t)count};
    ssize_t sent = sendmsg(wire->socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) gnutls_transport_set_errno(wire->session, errno);
    return sent;
}

/// GnuTLS asks for the five bytes of a record's head and then for the record, a system call each; asking the socket for more at once
/// saves one of them a request. libmicrohttpd reads until it is told EAGAIN, which comes from the socket alone: what waits here is
/// taken before, so no byte is forgotten although epoll tells edges only.
static ssize_t pull(gnutls_transport_ptr_t pointer, void *buffer, size_t size)
{
    khttp_wire *wire = pointer;
    if (wire->taken == wire->received) {
        bool isHead = size <= record_head;
        ssize_t count = recv(wire->socket, isHead ? wire->ahead : buffer, isHead ? sizeof wire->ahead : size, 0);
        if (count < 0) gnutls_transport_set_errno(wire->session, errno);
        if (count <= 0 || !isHead) return count;
        wire->taken = 0;
        wire->received = (size_t)count;
    }
    size_t left = wire->received - wire->taken;
    size_t count = size < left ? size : left;
    memcpy(buffer, wire->ahead + wire->taken, count);
    wire->taken += count;
    return (ssize_t)count;
}

/// Whether something can be received within a time; GnuTLS wants such a function beside one that receives.
static int wait_to_pull(gnutls_transport_ptr_t pointer, unsigned int milliseconds)
{
    khttp_wire *wire = pointer;
    if (wire->taken < wire->received) return 1;
    struct pollfd polled = {.fd = wire->socket, .events = POLLIN};
    int count = poll(&polled, 1, milliseconds == GNUTLS_INDEFINITE_TIMEOUT ? -1 : (int)milliseconds);
    if (count < 0) gnutls_transport_set_errno(wire->session, errno);
    return count;
}

khttp_wire *khttp_wire_open(khttp_tls *tls, struct MHD_Connection *connection, khttp_refusal refused, void *context)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    if (info == NULL || info->tls_session == NULL) return NULL;
    gnutls_session_t session = info->tls_session;
    khttp_wire *wire = calloc(1, sizeof *wire);
    if (wire == NULL) return NULL;
    pthread_mutex_init(&wire->lock, NULL);
    wire->references = 1;
    wire->tls = tls;
    wire->connection = connection;
    wire->refused = refused;
    wire->context = context;
    wire->session = session;
    wire->socket = khttp_connection_socket(connection);
    wire->certificate = retain_certificate(tls);
    if (wire->certificate == NULL || wire->socket < 0) {
        khttp_wire_close(wire);
        return NULL;
    }
    pthread_mutex_lock(&tls->lock);
    gnutls_session_ticket_enable_server(session, &tls->ticket_key);
    pthread_mutex_unlock(&tls->lock);

    is_loop = true;
    gnutls_transport_set_ptr(session, wire);
    gnutls_transport_set_vec_push_function(session, push);
    gnutls_transport_set_pull_function(session, pull);
    gnutls_transport_set_pull_timeout_function(session, wait_to_pull);
    return wire;
}

void khttp_wire_close(khttp_wire *wire)
{
    if (wire == NULL) return;
    pthread_mutex_lock(&wire->lock);
    seal(wire);
    forget(wire);
    free(wire->answer);
    wire->answer = NULL;
    wire->answer_capacity = 0;
    if (wire->filled != 0) send_pending(wire);
    free(wire->pending);
    wire->pending = NULL;
    wire->sent = wire->filled = wire->capacity = 0;
    wire->closed = true;
    // Where the session lives on, which is so only if the connection did not come to life, it must not lead here.
    if (wire->session != NULL) gnutls_transport_set_ptr(wire->session, (gnutls_transport_ptr_t)(uintptr_t)wire->socket);
    wire->session = NULL;
    release_certificate(wire->tls, wire->certificate);
    pthread_mutex_unlock(&wire->lock);
    khttp_wire_drop(wire);
}

void khttp_wire_hold(khttp_wire *wire) { atomic_fetch_add_explicit(&wire->references, 1, memory_order_relaxed); }

void khttp_wire_drop(khttp_wire *wire)
{
    if (atomic_fetch_sub_explicit(&wire->references, 1, memory_order_acq_rel) != 1) return;
    pthread_mutex_destroy(&wire->lock);
    free(wire);
}

static bool send_all(khttp_wire *wire)
{
    if (wire->closed) return true;
    seal(wire);
    if (!wire->uncorked) {
        // libmicrohttpd corks a connection once and relies on its own later calls to push what it wrote; ours it would not see.
        int off = 0;
        setsockopt(wire->socket, IPPROTO_TCP, TCP_CORK, &off, sizeof off);
        wire->uncorked = true;
    }
    return wire->filled == 0 || send_pending(wire);
}

bool khttp_wire_send(khttp_wire *wire)
{
    pthread_mutex_lock(&wire->lock);
    bool isSent = send_all(wire);
    pthread_mutex_unlock(&wire->lock);
    return isSent;
}

khttp_wire_rest khttp_wire_state(khttp_wire *wire, unsigned int *emptied)
{
    pthread_mutex_lock(&wire->lock);
    khttp_wire_rest state = wire->failed ? khttp_state_failed : wire->filled != 0 ? khttp_state_waiting : khttp_state_empty;
    *emptied = wire->emptied;
    pthread_mutex_unlock(&wire->lock);
    return state;
}
