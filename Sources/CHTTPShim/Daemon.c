#define _GNU_SOURCE
#include "CHTTPShim.h"
#include "Internal.h"
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>

struct MHD_Daemon *khttp_daemon_start(const struct khttp_daemon_options *options)
{
    unsigned int flags = MHD_USE_EPOLL | MHD_USE_ERROR_LOG;
    if (options->tls) flags |= MHD_USE_TLS;
    if (options->suspends) flags |= MHD_ALLOW_SUSPEND_RESUME;

    struct MHD_OptionItem plain[] = {{MHD_OPTION_END, 0, NULL}};
    struct MHD_OptionItem secured[] = {
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)options->priorities},
        {MHD_OPTION_HTTPS_CERT_CALLBACK, 0, khttp_tls_retrieve_address()},
        {MHD_OPTION_END, 0, NULL},
    };
    return MHD_start_daemon(
        flags, 0, options->accepts, options->context, options->handler, options->context,
        MHD_OPTION_EXTERNAL_LOGGER, options->logger, options->context,
        MHD_OPTION_LISTEN_SOCKET, options->listen_socket,
        MHD_OPTION_CONNECTION_LIMIT, options->connection_limit,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, options->connection_memory,
        MHD_OPTION_CONNECTION_MEMORY_INCREMENT, (size_t)4096,
        MHD_OPTION_CONNECTION_TIMEOUT, 0u,  // the loop keeps its own deadlines
        MHD_OPTION_STRICT_FOR_CLIENT, 0,  // a strict one answers a request without Host twice over; the loop is strict itself
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
        MHD_OPTION_URI_LOG_CALLBACK, options->request_line, options->context,
        MHD_OPTION_NOTIFY_COMPLETED, options->completed, options->context,
        MHD_OPTION_NOTIFY_CONNECTION, options->connection_changed, options->context,
        MHD_OPTION_ARRAY, options->tls ? secured : plain,
        MHD_OPTION_END);
}

int khttp_daemon_epoll(struct MHD_Daemon *daemon)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
    return info == NULL ? -1 : info->epoll_fd;
}

int khttp_connection_socket(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info == NULL ? -1 : info->connect_fd;
}

size_t khttp_head_size(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info == NULL ? 0 : info->header_size;
}

void *khttp_connection_context(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info == NULL ? NULL : info->socket_context;
}

void khttp_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }

int khttp_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

const short khttp_peer_finished = POLLRDHUP;
