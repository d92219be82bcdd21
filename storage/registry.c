/* SPDX-License-Identifier: Apache-2.0
 *
 * Facilities, their staff and everybody's certificates. registry_cert runs on every request and is
 * one indexed point read, remembered no longer than the transaction that saw it, so that a
 * revocation counts from the next request on. A facility switched off is as good as unregistered.
 * Must never bring a revoked certificate back: registering its fingerprint again is refused.
 */
#include "storage/registry.h"

#include <assert.h>
#include <stdio.h>

#include "storage/session_impl.h"
#include "storage/sql.h"

#include "base/banned.h"

/* ── code tables ─────────────────────────────────────────────────────────────────────────────── */

static const char *const kind_codes[] = {
#define X(name, code) [name] = code,
    FACILITY_KIND_TABLE(X)
#undef X
};
static const char *const role_codes[] = {
#define X(name, code) [name] = code,
    STAFF_ROLE_TABLE(X)
#undef X
};

const char *facility_kind_code(enum facility_kind kind)
{
    assert(kind < FACILITY_KIND_COUNT);
    return kind_codes[kind];
}

const char *staff_role_code(enum staff_role role)
{
    assert(role < STAFF_ROLE_COUNT);
    return role_codes[role];
}

static bool find_code(const char *const *codes, unsigned count, struct slice code,
                      unsigned *ret_index)
{
    for (unsigned i = 0; i < count; i++) {
        if (slice_is(code, codes[i])) {
            *ret_index = i;
            return true;
        }
    }
    return false;
}

bool facility_kind_find(struct slice code, enum facility_kind *ret_kind)
{
    unsigned index;

    if (!find_code(kind_codes, FACILITY_KIND_COUNT, code, &index))
        return false;
    *ret_kind = (enum facility_kind)index;
    return true;
}

bool staff_role_find(struct slice code, enum staff_role *ret_role)
{
    unsigned index;

    if (!find_code(role_codes, STAFF_ROLE_COUNT, code, &index))
        return false;
    *ret_role = (enum staff_role)index;
    return true;
}

/* ── looking up ──────────────────────────────────────────────────────────────────────────────── */

#define FACILITY_COLUMNS "f.id, f.key, f.code, f.name, f.kind, f.active"

/* False when the kind is none this program knows: then it cannot say what the facility may do. */
static bool read_facility(struct sql *q, struct arena *arena, int column, struct facility *ret)
{
    int64_t kind = sql_i64(q, column + 4);

    if (kind < 0 || kind >= FACILITY_KIND_COUNT)
        return false;
    *ret = (struct facility){
        .id = sql_i64(q, column),
        .key = sql_dup(q, column + 1, arena),
        .code = sql_dup(q, column + 2, arena),
        .name = sql_dup(q, column + 3, arena),
        .kind = (enum facility_kind)kind,
        .active = sql_i64(q, column + 5) != 0,
    };
    return true;
}

/* Takes the next text off *AT. */
static struct slice next_text(const char **at, struct arena *arena)
{
    struct slice text = slice_str(*at);

    *at += text.len + 1;
    return arena_dup(arena, text);
}

/* What this transaction found for the same certificate before. Whatever changes the registry
 * forgets it (forget_cert). */
static bool recall_cert(const struct session *s, struct arena *arena,
                        const unsigned char fingerprint[DIGEST_LEN], struct registry_caller *ret)
{
    const struct session_cert *c = &s->cert;
    const char *at = c->texts;

    if (c->transaction == 0 || c->transaction != s->transaction ||
        memcmp(c->fingerprint, fingerprint, DIGEST_LEN) != 0)
        return false;
    *ret = (struct registry_caller){.person = c->person, .revoked = c->revoked};
    if (c->facility > 0) {
        ret->facility = (struct facility){
            .id = c->facility, .kind = (enum facility_kind)c->kind, .active = true};
        ret->facility.key = next_text(&at, arena);
        ret->facility.code = next_text(&at, arena);
        ret->facility.name = next_text(&at, arena);
    }
    return true;
}

static void remember_cert(struct session *s, const unsigned char fingerprint[DIGEST_LEN],
                          const struct registry_caller *caller)
{
    const struct facility *f = &caller->facility;
    struct session_cert *c = &s->cert;

    c->transaction = 0;
    if (!s->writes || f->key.len + f->code.len + f->name.len + 3 > sizeof(c->texts))
        return;
    memcpy(c->fingerprint, fingerprint, DIGEST_LEN);
    c->person = caller->person;
    c->revoked = caller->revoked;
    c->facility = f->id;
    c->kind = (int)f->kind;
    snprintf(c->texts, sizeof(c->texts), "%.*s%c%.*s%c%.*s", SLICE_ARG(f->key), 0,
             SLICE_ARG(f->code), 0, SLICE_ARG(f->name));
    c->transaction = s->transaction;
}

static void forget_cert(struct session *s)
{
    s->cert.transaction = 0;
}

enum err registry_cert(struct session *s, struct arena *arena,
                       const unsigned char fingerprint[DIGEST_LEN],
                       struct registry_caller *ret_caller)
{
    if (recall_cert(s, arena, fingerprint, ret_caller))
        return ERR_OK;
    struct registry_caller caller = {0};
    bool found = false;
    struct sql *q;
    enum err err = sql_prepare(s,
                               "SELECT c.person, c.revoked_ms, " FACILITY_COLUMNS
                               " FROM cert c LEFT JOIN facility f ON f.id = c.facility"
                               " WHERE c.fingerprint = ?",
                               SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_blob(q, 1, fingerprint, DIGEST_LEN);
    err = sql_step(q, &found);
    if (err == ERR_OK && !found)
        err = ERR_CERT_UNREGISTERED;
    if (err == ERR_OK) {
        caller.person = sql_i64(q, 0);
        caller.revoked = !sql_is_null(q, 1);
        if (caller.person == 0 && (!read_facility(q, arena, 2, &caller.facility) ||
                                   caller.facility.id == 0 || !caller.facility.active))
            err = ERR_CERT_UNREGISTERED;
    }
    err = sql_done(q, err);
    if (err == ERR_OK) {
        remember_cert(s, fingerprint, &caller);
        *ret_caller = caller;
    }
    return err;
}

/* Runs Q, whose one row is a facility. Ends it. */
static enum err find_facility(struct sql *q, struct arena *arena, struct facility *ret_facility)
{
    struct facility facility;
    enum err err = sql_row(q);

    if (err == ERR_OK && !read_facility(q, arena, 0, &facility))
        err = ERR_VERSION;
    err = sql_done(q, err);
    if (err == ERR_OK)
        *ret_facility = facility;
    return err;
}

enum err registry_facility_by_key(struct session *s, struct arena *arena, struct slice key,
                                  struct facility *ret_facility)
{
    struct sql *q;
    enum err err =
        sql_prepare(s, "SELECT " FACILITY_COLUMNS " FROM facility f WHERE f.key = ?", SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_text(q, 1, key);
    return find_facility(q, arena, ret_facility);
}

enum err registry_facility_by_code(struct session *s, struct arena *arena, struct slice code,
                                   struct facility *ret_facility)
{
    struct sql *q;
    enum err err =
        sql_prepare(s, "SELECT " FACILITY_COLUMNS " FROM facility f WHERE f.code = ?", SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_text(q, 1, code);
    return find_facility(q, arena, ret_facility);
}

enum err registry_facility_by_id(struct session *s, struct arena *arena, int64_t id,
                                 struct facility *ret_facility)
{
    struct sql *q;
    enum err err =
        sql_prepare(s, "SELECT " FACILITY_COLUMNS " FROM facility f WHERE f.id = ?", SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, id);
    return find_facility(q, arena, ret_facility);
}

enum err registry_facilities(struct session *s, struct arena *arena,
                             struct facility **ret_facilities, size_t *ret_count)
{
    struct facility *rows = NULL;
    size_t count = 0;
    bool more = false;
    struct sql *q;
    enum err err = sql_prepare(s,
                               "SELECT " FACILITY_COLUMNS ", count(*) OVER () FROM facility f"
                               " ORDER BY f.id",
                               SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    while (err == ERR_OK && (err = sql_step(q, &more)) == ERR_OK && more) {
        if (!rows && !(rows = arena_array(arena, (size_t)sql_i64(q, 6), sizeof *rows)))
            err = ERR_LIMIT;
        else if (!read_facility(q, arena, 0, &rows[count++]))
            err = ERR_VERSION;
    }
    err = sql_done(q, err);
    if (err != ERR_OK)
        return err;
    *ret_facilities = rows;
    *ret_count = count;
    return ERR_OK;
}

enum err registry_staff(struct session *s, struct arena *arena, int64_t facility, struct slice user,
                        struct slice *ret_name, enum staff_role *ret_role)
{
    struct slice name = SLICE_NONE;
    int64_t role = 0;
    struct sql *q;
    enum err err = sql_prepare(s,
                               "SELECT name, role FROM staff WHERE facility = ? AND user = ?"
                               " AND active = 1",
                               SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, facility);
    sql_bind_text(q, 2, user);
    err = sql_row(q);
    if (err == ERR_OK) {
        name = sql_dup(q, 0, arena);
        role = sql_i64(q, 1);
    }
    err = sql_done(q, err);
    if (err == ERR_OK && (role < 0 || role >= STAFF_ROLE_COUNT))
        err = ERR_VERSION;
    if (err != ERR_OK)
        return err;
    *ret_name = name;
    *ret_role = (enum staff_role)role;
    return ERR_OK;
}

enum err registry_staff_list(struct session *s, struct arena *arena, int64_t facility,
                             struct registry_staff_row **ret_rows, size_t *ret_count)
{
    struct registry_staff_row *rows = NULL;
    size_t count = 0;
    bool more = false;
    struct sql *q;
    enum err err = sql_prepare(s,
                               "SELECT f.key, t.user, t.name, t.role, count(*) OVER ()"
                               " FROM staff t JOIN facility f ON f.id = t.facility"
                               " WHERE t.active = 1 AND (?1 = 0 OR t.facility = ?1)"
                               " ORDER BY f.key, t.user",
                               SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, facility);
    while ((err = sql_step(q, &more)) == ERR_OK && more) {
        int64_t role = sql_i64(q, 3);
        if (!rows && !(rows = arena_array(arena, (size_t)sql_i64(q, 4), sizeof *rows)))
            err = ERR_LIMIT;
        else if (role < 0 || role >= STAFF_ROLE_COUNT)
            err = ERR_VERSION;
        if (err != ERR_OK)
            break;
        rows[count++] = (struct registry_staff_row){.facility_key = sql_dup(q, 0, arena),
                                                    .user = sql_dup(q, 1, arena),
                                                    .name = sql_dup(q, 2, arena),
                                                    .role = (enum staff_role)role};
    }
    err = sql_done(q, err);
    if (err != ERR_OK)
        return err;
    *ret_rows = rows;
    *ret_count = count;
    return ERR_OK;
}

/* ── registering ─────────────────────────────────────────────────────────────────────────────── */

/* Is CODE another facility's than KEY's? */
static enum err code_taken(struct session *s, const struct facility *facility)
{
    bool taken = false;
    struct sql *q;
    enum err err =
        sql_prepare(s, "SELECT 1 FROM facility WHERE code = ? AND key <> ?", SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_text(q, 1, facility->code);
    sql_bind_text(q, 2, facility->key);
    err = sql_step(q, &taken);
    return sql_done(q, err == ERR_OK && taken ? ERR_CONFLICT : err);
}

enum err registry_put_facility(struct session *s, const struct facility *facility, int64_t *ret_id)
{
    forget_cert(s);
    struct sql *q;
    int64_t id = 0;
    enum err err;

    assert(session_writes(s) && facility->kind < FACILITY_KIND_COUNT);
    if (facility->key.len == 0 || facility->code.len == 0)
        return ERR_REQUIRED;
    err = code_taken(s, facility);
    if (err != ERR_OK)
        return err;
    err = sql_prepare(s,
                      "INSERT INTO facility(key, code, name, kind, active) VALUES(?,?,?,?,?)"
                      " ON CONFLICT(key) DO UPDATE SET code = excluded.code, name = excluded.name,"
                      " kind = excluded.kind, active = excluded.active RETURNING id",
                      SQL_OWN, &q);
    if (err != ERR_OK)
        return err;
    sql_bind_text(q, 1, facility->key);
    sql_bind_text(q, 2, facility->code);
    sql_bind_text(q, 3, facility->name);
    sql_bind_i64(q, 4, (int64_t)facility->kind);
    sql_bind_i64(q, 5, facility->active);
    err = sql_row(q);
    if (err == ERR_OK)
        id = sql_i64(q, 0);
    err = sql_done(q, err);
    if (err == ERR_OK)
        *ret_id = id;
    return err;
}

enum err registry_put_staff(struct session *s, int64_t facility, struct slice user,
                            struct slice name, enum staff_role role)
{
    struct sql *q;
    enum err err;

    assert(session_writes(s) && facility > 0 && role < STAFF_ROLE_COUNT);
    if (user.len == 0)
        return ERR_REQUIRED;
    err = sql_prepare(s,
                      "INSERT INTO staff(facility, user, name, role, active) VALUES(?,?,?,?,1)"
                      " ON CONFLICT(facility, user) DO UPDATE SET name = excluded.name,"
                      " role = excluded.role, active = 1",
                      SQL_OWN, &q);
    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, facility);
    sql_bind_text(q, 2, user);
    sql_bind_text(q, 3, name);
    sql_bind_i64(q, 4, (int64_t)role);
    return sql_run(q);
}

enum err registry_remove_staff(struct session *s, int64_t facility, struct slice user)
{
    struct sql *q;
    enum err err =
        sql_prepare(s, "UPDATE staff SET active = 0 WHERE facility = ? AND user = ? AND active = 1",
                    SQL_OWN, &q);

    assert(session_writes(s));
    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, facility);
    sql_bind_text(q, 2, user);
    err = sql_run(q);
    return err == ERR_OK && sql_changes(s) == 0 ? ERR_NOT_FOUND : err;
}

enum err registry_put_cert(struct session *s, const unsigned char fingerprint[DIGEST_LEN],
                           struct slice name, struct slice serial_hex, int64_t facility,
                           int64_t person)
{
    forget_cert(s);
    struct sql *q;
    enum err err;

    assert(session_writes(s) && (facility > 0) != (person > 0));
    err = sql_prepare(s,
                      "INSERT INTO cert(fingerprint, name, serial, facility, person, registered_ms)"
                      " VALUES(?,?,lower(?),?,?,?) ON CONFLICT(fingerprint) DO UPDATE SET"
                      " name = excluded.name WHERE revoked_ms IS NULL"
                      " AND facility IS excluded.facility AND person IS excluded.person",
                      SQL_OWN, &q);
    if (err != ERR_OK)
        return err;
    sql_bind_blob(q, 1, fingerprint, DIGEST_LEN);
    sql_bind_text(q, 2, name);
    sql_bind_text(q, 3, serial_hex);
    sql_bind_i64_or_null(q, 4, facility);
    sql_bind_i64_or_null(q, 5, person);
    sql_bind_i64(q, 6, session_now_ms(s));
    err = sql_run(q);
    return err == ERR_OK && sql_changes(s) == 0 ? ERR_CONFLICT : err;
}

#define REVOKE(which)                                                                              \
    "UPDATE cert SET revoked_ms = ?2 WHERE fingerprint = (SELECT fingerprint FROM cert "           \
    "WHERE " which " AND revoked_ms IS NULL ORDER BY registered_ms DESC, fingerprint LIMIT 1)"     \
    " RETURNING serial"

static enum err revoke_by(struct session *s, struct arena *arena, const char *text,
                          struct slice given, struct slice *ret_serial)
{
    struct slice serial = SLICE_NONE;
    struct sql *q;
    enum err err = sql_prepare(s, text, SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_text(q, 1, given);
    sql_bind_i64(q, 2, session_now_ms(s));
    err = sql_row(q);
    if (err == ERR_OK)
        serial = sql_dup(q, 0, arena);
    err = sql_done(q, err);
    if (err == ERR_OK)
        *ret_serial = serial;
    return err;
}

/* A serial is one certificate's, so it is tried first; a name may be used again after a revocation.
 */
enum err registry_revoke_cert(struct session *s, struct arena *arena, struct slice name_or_serial,
                              struct slice *ret_serial)
{
    enum err err;

    forget_cert(s);
    assert(session_writes(s));
    err = revoke_by(s, arena, REVOKE("serial = lower(?1)"), name_or_serial, ret_serial);
    if (err != ERR_NOT_FOUND)
        return err;
    return revoke_by(s, arena, REVOKE("name = ?1"), name_or_serial, ret_serial);
}

enum err registry_certs(struct session *s, struct arena *arena, struct registry_cert_row **ret_rows,
                        size_t *ret_count)
{
    struct registry_cert_row *rows = NULL;
    size_t count = 0;
    bool more = false;
    struct sql *q;
    enum err err = sql_prepare(s,
                               "SELECT name, serial, lower(hex(fingerprint)), registered_ms,"
                               " revoked_ms, count(*) OVER () FROM cert"
                               " ORDER BY registered_ms, name, fingerprint",
                               SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    while ((err = sql_step(q, &more)) == ERR_OK && more) {
        if (!rows && !(rows = arena_array(arena, (size_t)sql_i64(q, 5), sizeof *rows))) {
            err = ERR_LIMIT;
            break;
        }
        rows[count++] = (struct registry_cert_row){.name = sql_dup(q, 0, arena),
                                                   .serial = sql_dup(q, 1, arena),
                                                   .fingerprint_hex = sql_dup(q, 2, arena),
                                                   .registered_ms = sql_i64(q, 3),
                                                   .revoked_ms = sql_i64(q, 4)};
    }
    err = sql_done(q, err);
    if (err != ERR_OK)
        return err;
    *ret_rows = rows;
    *ret_count = count;
    return ERR_OK;
}
