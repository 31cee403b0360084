#include "CProcessShim.h"

#include <sys/prctl.h>
#include <sys/timex.h>

int kprocess_forbid_dumping(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

int kprocess_can_be_dumped(void) { return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0); }

int kprocess_is_clock_synchronized(void) {
    struct timex state = {0};
    int code = adjtimex(&state);
    return code < 0 ? -1 : code != TIME_ERROR;
}
