#define _GNU_SOURCE
#include "CSSHShim.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

int kssh_socket_pair(int descriptors[2]) { return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, descriptors); }

int kssh_pipe(int descriptors[2]) { return pipe2(descriptors, O_CLOEXEC); }

int kssh_accept(int listener) { return accept4(listener, NULL, NULL, SOCK_CLOEXEC); }

int kssh_peer(int descriptor, uid_t *user, pid_t *process) {
    struct ucred peer = {0};
    socklen_t length = sizeof peer;
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) return -1;
    *user = peer.uid;
    *process = peer.pid;
    return 0;
}

int kssh_send_descriptor(int socket, int descriptor) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {0};
    char byte = 0;
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof control.space};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_len = CMSG_LEN(sizeof(int));
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
    for (;;) {
        ssize_t count = sendmsg(socket, &message, MSG_NOSIGNAL);
        if (count == 1) return 0;
        if (count >= 0) errno = EPIPE;
        if (count >= 0 || errno != EINTR) return -1;
    }
}

int kssh_terminal_open(char *name, size_t capacity) {
    int descriptor = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (descriptor < 0) return -1;
    if (grantpt(descriptor) == 0 && unlockpt(descriptor) == 0 && ptsname_r(descriptor, name, capacity) == 0) return descriptor;
    int code = errno;
    close(descriptor);
    errno = code;
    return -1;
}

int kssh_terminal_other_side(const char *name) {
    int descriptor = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (descriptor < 0) return -1;
    struct termios modes;
    if (tcgetattr(descriptor, &modes) == 0) {
        modes.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL | ECHOCTL | ECHOKE);
        modes.c_lflag |= ICANON;
        modes.c_oflag &= ~(tcflag_t)OPOST;
        modes.c_iflag &= ~(tcflag_t)(IXON | IXOFF);
        if (tcsetattr(descriptor, TCSANOW, &modes) == 0) return descriptor;
    }
    int code = errno;
    close(descriptor);
    errno = code;
    return -1;
}

int kssh_terminal_make_raw(int descriptor) {
    struct termios modes;
    if (tcgetattr(descriptor, &modes) < 0) return -1;
    cfmakeraw(&modes);
    return tcsetattr(descriptor, TCSANOW, &modes);
}

int kssh_spawn(pid_t *process, const char *program, char *const arguments[], char *const environment[], int input, int errors,
               const char *terminal) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int code = posix_spawn_file_actions_init(&actions);
    if (code) return code;
    code = posix_spawnattr_init(&attributes);
    if (code) {
        posix_spawn_file_actions_destroy(&actions);
        return code;
    }
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    code = posix_spawn_file_actions_adddup2(&actions, input, 0);
    if (!code) code = posix_spawn_file_actions_adddup2(&actions, input, 1);
    if (!code) code = posix_spawn_file_actions_adddup2(&actions, errors, 2);
    // The leader of a session without terminal gets the first one that it opens.
    if (!code) code = posix_spawn_file_actions_addopen(&actions, 3, terminal, O_RDWR, 0);
    if (!code) code = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    if (!code) code = posix_spawn(process, program, &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return code;
}
