#pragma once

#include <stddef.h>
#include <stdint.h>

// curl_easy_setopt and curl_easy_getinfo are variadic, which Swift cannot call: here is one function a type of argument.
// `handle` is a CURL *, `option` a CURLoption, `info` a CURLINFO; the results are CURLcodes.

/// Starts libcurl with an allocator that wipes what it frees: its buffers hold secrets in transit. Once a process.
int curl_shim_start(void);

int curl_shim_set_long(void *handle, uint32_t option, long value);
int curl_shim_set_size(void *handle, uint32_t option, int64_t value);
int curl_shim_set_text(void *handle, uint32_t option, const char *value);
int curl_shim_set_pointer(void *handle, uint32_t option, void *value);
int curl_shim_get_long(void *handle, uint32_t info, long *value);

/// Sockets of this handle are closed when the process becomes another program.
int curl_shim_close_sockets_on_exec(void *handle);

/// Called with received bytes; returns how many were taken, anything else than all ends the transfer.
typedef size_t (*curl_shim_receiver)(char *bytes, size_t size, size_t count, void *context);
int curl_shim_set_body_receiver(void *handle, curl_shim_receiver receiver, void *context);
int curl_shim_set_header_receiver(void *handle, curl_shim_receiver receiver, void *context);

/// Called about once a second and with every step; anything but 0 ends the transfer.
typedef int (*curl_shim_watcher)(void *context, int64_t expected, int64_t received, int64_t to_send, int64_t sent);
int curl_shim_set_watcher(void *handle, curl_shim_watcher watcher, void *context);

/// Called for bytes to send, at most size * count of them; returns how many it wrote, 0 at the end.
typedef size_t (*curl_shim_sender)(char *bytes, size_t size, size_t count, void *context);
int curl_shim_set_sender(void *handle, curl_shim_sender sender, void *context);
