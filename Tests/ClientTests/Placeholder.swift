// Replaced as the capability is written.
