#pragma once

#include <stddef.h>
#include <stdint.h>

// What libpq does not offer, done to the socket that it uses; and Linux calls that Swift's Glibc does not import.

/// How many bytes the peer of a TCP socket has sent so far, read or not; -1 where that is not known.
int64_t pq_shim_bytes_received(int socket);

/// A pair of connected, non-blocking stream sockets that no program inherits; 0 or an errno.
int pq_shim_pair(int ends[2]);

/// Makes `number` another name of what `descriptor` is open on, not to be inherited; 0 or an errno.
int pq_shim_replace(int number, int descriptor);

/// A second descriptor of the same thing, not to be inherited; -1 and errno on failure.
int pq_shim_duplicate(int descriptor);

/// A file in memory with this content and no name; its descriptor, or -1.
int pq_shim_memory_file(const void *bytes, size_t count);
