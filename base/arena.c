/* SPDX-License-Identifier: Apache-2.0
 *
 * The arena: chunks that double from 4 KiB to 256 KiB, a pointer that moves up, and one free at the
 * end. An allocation is at most a quarter of its chunk; beyond 64 KiB it gets one of its own, so
 * that it wastes nothing. Everything is wiped before it goes back, because it held patients' data;
 * what was never handed out is zero already, so memory is cleared once and not twice. Some wiped
 * chunks are kept for the next arena: one thread makes a request, others fill it, and going through
 * malloc each time the kernel would map the same pages over and over. Under AddressSanitizer every
 * allocation is a chunk of its own and of its exact size, so that a write past one is seen.
 */
#include "base/arena.h"

#include <assert.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/banned.h"

#define CHUNK_FIRST ((size_t)4096)
#define CHUNK_LARGEST ((size_t)256 * 1024)
#define CHUNK_SIZES 7 /* the powers of two between */
#define POOL_MAX ((size_t)4 * 1024 * 1024)
#define ALIGN alignof(max_align_t)

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define EVERY_CHUNK_OWN true
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define EVERY_CHUNK_OWN true
#endif
#ifndef EVERY_CHUNK_OWN
#define EVERY_CHUNK_OWN false
#endif

struct chunk {
    struct chunk *next;
    size_t size; /* of bytes */
    size_t used; /* the rest is zero */
    alignas(max_align_t) unsigned char bytes[];
};

struct arena {
    struct chunk *current; /* allocations move up in this one; NULL at first */
    struct chunk *others;  /* full ones and single large allocations */
    size_t next_size;
    size_t used;
    size_t max;
    bool exhausted;
};

static size_t round_up(size_t size)
{
    return (size + ALIGN - 1) / ALIGN * ALIGN;
}

struct arena *arena_new(size_t max)
{
    struct arena *a = calloc(1, sizeof(*a));
    if (!a)
        return NULL;
    a->next_size = CHUNK_FIRST;
    a->max = max > SIZE_MAX - ALIGN ? SIZE_MAX / ALIGN * ALIGN : round_up(max);
    return a;
}

/* ── chunks, and those kept ──────────────────────────────────────────────────────────────────── */

static struct pool {
    pthread_mutex_t lock;
    struct chunk *kept[CHUNK_SIZES]; /* wiped; by size */
    size_t bytes;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Where chunks of SIZE are kept; CHUNK_SIZES: nowhere. */
static unsigned place_of(size_t size)
{
    unsigned place = 0;
    while (place < CHUNK_SIZES && CHUNK_FIRST << place != size)
        place++;
    return EVERY_CHUNK_OWN ? CHUNK_SIZES : place;
}

static struct chunk *chunk_kept(unsigned place)
{
    (void)pthread_mutex_lock(&pool.lock);
    struct chunk *c = pool.kept[place];
    if (c) {
        pool.kept[place] = c->next;
        pool.bytes -= c->size;
    }
    (void)pthread_mutex_unlock(&pool.lock);
    return c;
}

static struct chunk *chunk_new(size_t size)
{
    unsigned place = place_of(size);
    struct chunk *c = place < CHUNK_SIZES ? chunk_kept(place) : NULL;
    if (!c && size <= SIZE_MAX / 2)
        c = calloc(1, sizeof(*c) + size);
    if (c) {
        c->next = NULL;
        c->size = size;
    }
    return c;
}

/* Puts C into the pool unless that is full. Lock held. */
static bool keep(struct chunk *c)
{
    unsigned place = place_of(c->size);
    if (place == CHUNK_SIZES || pool.bytes + c->size > POOL_MAX)
        return false;
    c->next = pool.kept[place];
    pool.kept[place] = c;
    pool.bytes += c->size;
    return true;
}

static void free_chunks(struct chunk *first)
{
    for (struct chunk *c = first; c; c = c->next) {
        explicit_bzero(c->bytes, c->used);
        c->used = 0;
    }
    (void)pthread_mutex_lock(&pool.lock);
    struct chunk *rest = NULL;
    for (struct chunk *c = first, *next; c; c = next) {
        next = c->next;
        if (!keep(c)) {
            c->next = rest;
            rest = c;
        }
    }
    (void)pthread_mutex_unlock(&pool.lock);
    while (rest) {
        struct chunk *next = rest->next;
        free(rest);
        rest = next;
    }
}

/* ── the arena ───────────────────────────────────────────────────────────────────────────────── */

void arena_free(struct arena *a)
{
    if (!a)
        return;
    if (a->current) {
        a->current->next = a->others;
        a->others = a->current;
    }
    free_chunks(a->others);
    free(a);
}

static void *alloc_own(struct arena *a, size_t size)
{
    struct chunk *c = chunk_new(size);
    if (!c)
        return NULL;
    c->next = a->others;
    c->used = size;
    a->others = c;
    return c->bytes;
}

static void *alloc_in_chunk(struct arena *a, size_t size)
{
    if (!a->current || a->current->size - a->current->used < size) {
        while (size > a->next_size /
                          4) /* chunks are kept by size: one of a size of its own would not be */
            a->next_size *= 2;
        struct chunk *c = chunk_new(a->next_size);
        if (!c)
            return NULL;
        if (a->current) {
            a->current->next = a->others;
            a->others = a->current;
        }
        a->current = c;
        if (a->next_size < CHUNK_LARGEST)
            a->next_size *= 2;
    }
    void *ptr = a->current->bytes + a->current->used;
    a->current->used += size;
    return ptr;
}

void *arena_alloc(struct arena *a, size_t size)
{
    if (size == 0)
        size = 1;
    if (size > a->max || round_up(size) > a->max - a->used) {
        a->exhausted = true;
        return NULL;
    }
    size_t rounded = round_up(size);
    bool own = EVERY_CHUNK_OWN || rounded > CHUNK_LARGEST / 4;
    void *ptr = own ? alloc_own(a, size) : alloc_in_chunk(a, rounded);
    if (!ptr) {
        a->exhausted = true;
        return NULL;
    }
    a->used += rounded;
    return ptr;
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        a->exhausted = true;
        return NULL;
    }
    return arena_alloc(a, bytes);
}

char *arena_str(struct arena *a, struct slice s)
{
    if (s.len == SIZE_MAX)
        return NULL;
    char *copy = arena_alloc(a, s.len + 1);
    if (copy && s.len)
        memcpy(copy, s.ptr, s.len);
    return copy;
}

struct slice arena_dup(struct arena *a, struct slice s)
{
    char *copy = arena_str(a, s);
    if (!copy)
        return SLICE_NONE;
    return slice_of(copy, s.len);
}

char *arena_vprintf(struct arena *a, const char *format, va_list args)
{
    char usual[256];
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(usual, sizeof(usual), format, args);
    assert(len >= 0);
    char *text = arena_alloc(a, (size_t)len + 1);
    if (text && (size_t)len < sizeof(usual))
        memcpy(text, usual, (size_t)len + 1);
    else if (text)
        (void)vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return text;
}

char *arena_printf(struct arena *a, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = arena_vprintf(a, format, args);
    va_end(args);
    return text;
}

struct slice arena_join(struct arena *a, const struct slice *parts, size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++)
        len += parts[i].len;
    char *text = arena_alloc(a, len + 1);
    if (!text)
        return SLICE_NONE;
    char *to = text;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].len)
            memcpy(to, parts[i].ptr, parts[i].len);
        to += parts[i].len;
    }
    return slice_of(text, len);
}

size_t arena_used(const struct arena *a)
{
    return a->used;
}

bool arena_exhausted(const struct arena *a)
{
    return a->exhausted;
}
