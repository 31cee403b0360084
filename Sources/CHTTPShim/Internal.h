#pragma once
#include <stddef.h>

/// The certificate callback as libmicrohttpd's option array wants it. It is a gnutls_certificate_retrieve_function2:
/// the type for MHD_OPTION_HTTPS_CERT_CALLBACK (handing it to ..._CALLBACK2 crashes inside GnuTLS).
void *khttp_tls_retrieve_address(void);

/// From now on GnuTLS takes the memory of its records from what each thread keeps spare.
void khttp_keep_record_blocks(void);
/// The thread's spare block for gathered ciphertext and its size, now the caller's; NULL when there is none.
void *khttp_take_gathered(size_t *size);
/// Gives such a block back; the thread keeps one.
void khttp_keep_gathered(void *block, size_t size);
