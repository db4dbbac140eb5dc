/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sanitizer: whether this is built with one that has memory of its own, and
 * has to see every allocation.
 */
#ifndef UTIL_SANITIZER_H
#define UTIL_SANITIZER_H

#include <stdbool.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define HAS_SANITIZER true
#endif
#endif
#ifndef HAS_SANITIZER
#define HAS_SANITIZER false
#endif

#endif
