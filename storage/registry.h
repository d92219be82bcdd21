/* SPDX-License-Identifier: Apache-2.0
 *
 * Who may speak: facilities, their staff, client certificates. Looked up at each request, so that a
 * revocation takes effect on the next one. Holds no patient data but the person behind a resident's card
 * certificate.
 */
#ifndef STORAGE_REGISTRY_H
#define STORAGE_REGISTRY_H

#include "base/arena.h"
#include "base/digest.h"
#include "storage/session.h"

#define FACILITY_KIND_TABLE(X)                                                                     \
    X(FACILITY_HOSPITAL, "hospital")                                                               \
    X(FACILITY_CLINIC, "clinic")                                                                   \
    X(FACILITY_EMERGENCY, "emergency")                                                             \
    X(FACILITY_PHARMACY, "pharmacy")                                                               \
    X(FACILITY_INSURER, "insurer")                                                                 \
    X(FACILITY_CITY, "city")                                                                       \
    X(FACILITY_GATEWAY, "gateway")                                                                 \
    X(FACILITY_OPERATOR, "operator")                                                               \
    X(FACILITY_HOME, "home") /* pseudo-facility: what residents enter themselves */

enum facility_kind {
#define X(name, code) name,
    FACILITY_KIND_TABLE(X)
#undef X
        FACILITY_KIND_COUNT
};

#define STAFF_ROLE_TABLE(X)                                                                        \
    X(STAFF_DOCTOR, "doctor")                                                                      \
    X(STAFF_NURSE, "nurse")                                                                        \
    X(STAFF_PHARMACIST, "pharmacist")                                                              \
    X(STAFF_CLERK, "clerk")                                                                        \
    X(STAFF_PARAMEDIC, "paramedic")                                                                \
    X(STAFF_SYSTEM, "system")

enum staff_role {
#define X(name, code) name,
    STAFF_ROLE_TABLE(X)
#undef X
        STAFF_ROLE_COUNT
};

struct facility {
    int64_t id;
    struct slice key;
    struct slice code;
    struct slice name;
    enum facility_kind kind;
    bool active;
};

/* Who a certificate belongs to: a facility (id > 0) or a person (person > 0). */
struct registry_caller {
    struct facility facility;
    int64_t person;
    bool revoked;
};

/* The enums' codes, and back; false when there is no such code. */
const char *facility_kind_code(enum facility_kind kind);
const char *staff_role_code(enum staff_role role);
bool facility_kind_find(struct slice code, enum facility_kind *ret_kind);
bool staff_role_find(struct slice code, enum staff_role *ret_role);

/* The caller of a certificate by SHA-256 of its DER. ERR_CERT_UNREGISTERED; a revoked one is returned
 * with `revoked` so that the refusal can be audited. */
enum err registry_cert(struct session *s, struct arena *arena,
                       const unsigned char fingerprint[DIGEST_LEN],
                       struct registry_caller *ret_caller) ERR_CHECKED;
enum err registry_facility_by_key(struct session *s, struct arena *arena, struct slice key,
                                  struct facility *ret_facility) ERR_CHECKED;
enum err registry_facility_by_code(struct session *s, struct arena *arena, struct slice code,
                                   struct facility *ret_facility) ERR_CHECKED;
enum err registry_facility_by_id(struct session *s, struct arena *arena, int64_t id,
                                 struct facility *ret_facility) ERR_CHECKED;
enum err registry_facilities(struct session *s, struct arena *arena, struct facility **ret_facilities,
                             size_t *ret_count) ERR_CHECKED;
/* A member of a facility's staff; ERR_NOT_FOUND. */
enum err registry_staff(struct session *s, struct arena *arena, int64_t facility, struct slice user,
                        struct slice *ret_name, enum staff_role *ret_role) ERR_CHECKED;

/* Those on the list, of FACILITY or (0) of all, by facility and user. */
struct registry_staff_row {
    struct slice facility_key, user, name;
    enum staff_role role;
};
enum err registry_staff_list(struct session *s, struct arena *arena, int64_t facility,
                             struct registry_staff_row **ret_rows, size_t *ret_count) ERR_CHECKED;

/* Writer session. Facility: updates by key when present. */
enum err registry_put_facility(struct session *s, const struct facility *facility,
                               int64_t *ret_id) ERR_CHECKED;
enum err registry_put_staff(struct session *s, int64_t facility, struct slice user,
                            struct slice name, enum staff_role role) ERR_CHECKED;
/* ERR_NOT_FOUND when he is not on the list. */
enum err registry_remove_staff(struct session *s, int64_t facility, struct slice user) ERR_CHECKED;
/* Exactly one of facility and person is > 0. */
enum err registry_put_cert(struct session *s, const unsigned char fingerprint[DIGEST_LEN],
                           struct slice name, struct slice serial_hex, int64_t facility,
                           int64_t person) ERR_CHECKED;
/* By serial, else by name (newest not yet revoked); ERR_NOT_FOUND. Answers the serial that was revoked. */
enum err registry_revoke_cert(struct session *s, struct arena *arena, struct slice name_or_serial,
                              struct slice *ret_serial) ERR_CHECKED;

struct registry_cert_row {
    struct slice name, serial, fingerprint_hex;
    int64_t registered_ms;
    int64_t revoked_ms; /* 0 = in force */
};
enum err registry_certs(struct session *s, struct arena *arena, struct registry_cert_row **ret_rows,
                        size_t *ret_count) ERR_CHECKED;

#endif
