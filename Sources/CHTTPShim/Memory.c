#define _DEFAULT_SOURCE
#include "CHTTPShim.h"
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
