#define _DEFAULT_SOURCE
#include "CHTTPShim.h"
#include "Internal.h"
#include <gnutls/gnutls.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

// The capacity stands before the bytes, so that the free callback needs nothing else.
enum { prefix = 16 };

void *khttp_wiped_allocate(size_t capacity)
{
    if (capacity > SIZE_MAX - prefix) return NULL;
    unsigned char *block = malloc(prefix + capacity);
    if (block == NULL) return NULL;
    memcpy(block, &capacity, sizeof capacity);
    return block + prefix;
}

void khttp_wiped_free(void *bytes)
{
    if (bytes == NULL) return;
    unsigned char *block = (unsigned char *)bytes - prefix;
    size_t capacity;
    memcpy(&capacity, block, sizeof capacity);
    explicit_bzero(block, prefix + capacity);
    free(block);
}

void khttp_wipe(void *bytes, size_t count)
{
    if (bytes != NULL && count != 0) explicit_bzero(bytes, count);
}

__attribute__((noinline)) void khttp_wipe_stack(void)
{
    unsigned char left[16384];
    explicit_bzero(left, sizeof left);
}

// MARK: - Spare memory of a loop's thread

/// GnuTLS asks for room for a whole record, some 17 KB, six times for a request of one record. The C library keeps no such
/// blocks at hand: it cuts each from its heap and joins it again. So a thread keeps a few, all of one size.
enum { record_least = 16 * 1024, record_size = 18 * 1024, record_limit = 8 };

static _Thread_local struct {
    unsigned int count;
    void *records[record_limit];
    void *gathered;
    size_t gathered_size;
    bool is_registered;
} spare;

/// Its destructor frees what a thread keeps, when the thread ends.
static pthread_key_t spare_key;
static bool has_spare_key;

static void free_spare(void *unused)
{
    (void)unused;
    while (spare.count > 0) free(spare.records[--spare.count]);
    free(spare.gathered);
    spare.gathered = NULL;
    spare.is_registered = false;
}

static void register_spare(void)
{
    if (!spare.is_registered) spare.is_registered = pthread_setspecific(spare_key, &spare) == 0;
}

static void *allocate_for_tls(size_t size)
{
    if (size < record_least || size > record_size) return malloc(size);
    return spare.count > 0 ? spare.records[--spare.count] : malloc(record_size);
}

static void free_of_tls(void *block)
{
    // Any block of about that size will do, whoever allocated it: they all come from malloc.
    size_t size = block == NULL ? 0 : malloc_usable_size(block);
    if (size >= record_size && size < record_size + 1024 && spare.count < record_limit) {
        register_spare();
        spare.records[spare.count++] = block;
    } else {
        free(block);
    }
}

static void replace_allocator(void)
{
    has_spare_key = pthread_key_create(&spare_key, free_spare) == 0;
    if (!has_spare_key) return;
    gnutls_malloc = allocate_for_tls;
    gnutls_free = free_of_tls;
}

void khttp_keep_record_blocks(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, replace_allocator);
}

void *khttp_take_gathered(size_t *size)
{
    void *taken = spare.gathered;
    *size = taken == NULL ? 0 : spare.gathered_size;
    spare.gathered = NULL;
    return taken;
}

void khttp_keep_gathered(void *block, size_t size)
{
    if (spare.gathered != NULL || !has_spare_key) {
        free(block);
        return;
    }
    register_spare();
    spare.gathered = block;
    spare.gathered_size = size;
}
