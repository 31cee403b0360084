#pragma once

/// Takes dumping and tracing from this process: prctl(2) with PR_SET_DUMPABLE, which is variadic. 0, or -1 with errno.
int kprocess_forbid_dumping(void);

/// 1 if the process can be dumped or traced by its own user, 0 if not, -1 with errno.
int kprocess_can_be_dumped(void);

/// 1 if the kernel says that something (NTP, PTP) keeps the clock right, 0 if not, -1 if it cannot be asked: adjtimex(2).
int kprocess_is_clock_synchronized(void);
