#pragma once
/// The certificate callback as libmicrohttpd's option array wants it. It is a gnutls_certificate_retrieve_function2:
/// the type for MHD_OPTION_HTTPS_CERT_CALLBACK (handing it to ..._CALLBACK2 crashes inside GnuTLS).
void *khttp_tls_retrieve_address(void);
