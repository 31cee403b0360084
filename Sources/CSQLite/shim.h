#pragma once
#include <sqlite3.h>

// sqlite3_config is variadic, which Swift cannot call. Without memory statistics, allocations of several threads do not meet at one lock.
static inline int keyturn_sqlite_configure(void) {
    return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

// sqlite3_db_config is variadic, which Swift cannot call. No statement may damage the file, call a function from the schema that is
// not harmless, load an extension, or read "text" in double quotes as a value.
static inline int keyturn_sqlite_harden(sqlite3 *db) {
    int failed = sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)0);
    failed |= sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, (int *)0);
    failed |= sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, (int *)0);
    failed |= sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, (int *)0);
    failed |= sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, (int *)0);
    return failed;
}
