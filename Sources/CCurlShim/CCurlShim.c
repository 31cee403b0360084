#define _GNU_SOURCE
#include "CCurlShim.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

static void wiping_free(void *memory) {
    if (!memory) return;
    explicit_bzero(memory, malloc_usable_size(memory));
    free(memory);
}

// realloc would leave the old place behind as it was.
static void *wiping_realloc(void *memory, size_t size) {
    if (!memory) return malloc(size);
    size_t old = malloc_usable_size(memory);
    if (size > 0 && size <= old && old - size < 4096) return memory;
    void *moved = malloc(size);
    if (!moved) return NULL;
    memcpy(moved, memory, old < size ? old : size);
    wiping_free(memory);
    return moved;
}

int curl_shim_start(void) {
    return curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, wiping_free, wiping_realloc, strdup, calloc);
}

int curl_shim_set_long(void *handle, uint32_t option, long value) {
    return curl_easy_setopt(handle, (CURLoption)option, value);
}

int curl_shim_set_size(void *handle, uint32_t option, int64_t value) {
    return curl_easy_setopt(handle, (CURLoption)option, (curl_off_t)value);
}

int curl_shim_set_text(void *handle, uint32_t option, const char *value) {
    return curl_easy_setopt(handle, (CURLoption)option, value);
}

int curl_shim_set_pointer(void *handle, uint32_t option, void *value) {
    return curl_easy_setopt(handle, (CURLoption)option, value);
}

int curl_shim_get_long(void *handle, uint32_t info, long *value) {
    return curl_easy_getinfo(handle, (CURLINFO)info, value);
}

static int close_on_exec(void *context, curl_socket_t socket, curlsocktype purpose) {
    (void)context;
    (void)purpose;
    return fcntl(socket, F_SETFD, FD_CLOEXEC) == 0 ? CURL_SOCKOPT_OK : CURL_SOCKOPT_ERROR;
}

int curl_shim_close_sockets_on_exec(void *handle) {
    return curl_easy_setopt(handle, CURLOPT_SOCKOPTFUNCTION, close_on_exec);
}

int curl_shim_set_body_receiver(void *handle, curl_shim_receiver receiver, void *context) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_WRITEDATA, context);
    return code != CURLE_OK ? code : curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, receiver);
}

int curl_shim_set_header_receiver(void *handle, curl_shim_receiver receiver, void *context) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_HEADERDATA, context);
    return code != CURLE_OK ? code : curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, receiver);
}

int curl_shim_set_watcher(void *handle, curl_shim_watcher watcher, void *context) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_XFERINFODATA, context);
    if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, watcher);
    return code != CURLE_OK ? code : curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
}

int curl_shim_set_sender(void *handle, curl_shim_sender sender, void *context) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_READDATA, context);
    return code != CURLE_OK ? code : curl_easy_setopt(handle, CURLOPT_READFUNCTION, sender);
}
