/* crc32c.h - CRC-32C (Castagnoli), the checksum of what is kept in files. */
#ifndef CORE_BASE_CRC32C_H
#define CORE_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(const void *p, size_t len);

#endif
