// The two version numbers that clients and operators see.

/** The memcached release whose behaviour this server has; clients read it to pick features. */
export const MEMCACHED_VERSION = "1.6.45";

/** This server's own release. */
export const MEMDEN_VERSION = "0.1.0";
