#define _GNU_SOURCE
#include "CPostgresShim.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

int64_t pq_shim_bytes_received(int socket) {
    struct tcp_info info;
    memset(&info, 0, sizeof info);
    socklen_t length = sizeof info;
    if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return -1;
    // An older kernel fills in less.
    if (length < offsetof(struct tcp_info, tcpi_bytes_received) + sizeof info.tcpi_bytes_received) return -1;
    return info.tcpi_bytes_received > INT64_MAX ? INT64_MAX : (int64_t)info.tcpi_bytes_received;
}

int pq_shim_pair(int ends[2]) {
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0 ? 0 : errno;
}

int pq_shim_replace(int number, int descriptor) {
    return dup3(descriptor, number, O_CLOEXEC) == number ? 0 : errno;
}

int pq_shim_duplicate(int descriptor) {
    return fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
}

int pq_shim_memory_file(const void *bytes, size_t count) {
    int file = memfd_create("certificates", MFD_CLOEXEC);
    if (file < 0) return -1;
    size_t written = 0;
    while (written < count) {
        ssize_t done = write(file, (const char *)bytes + written, count - written);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) {
            close(file);
            return -1;
        }
        written += (size_t)done;
    }
    return file;
}
