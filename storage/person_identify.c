/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is meant by a claim, in a fixed order of trust: card, the facility's own number, insurer
 * identity with at least five agreeing fields, and else a new person. The wrong person is the worst
 * error (design invariant 6): whatever contradicts is refused or left to a human in link_queue, and
 * everything is read and judged before the first row is written. Japan's mislinked insurance cards
 * came from joining on three fields or fewer; hence five, and never against a birth date or gender
 * that differs.
 */
#include "storage/person_impl.h"

#include <assert.h>

#include "storage/session_impl.h"
#include "storage/sql.h"

#include "base/banned.h"

#define SEEN_STEP_MS                                                                               \
    (24 * 60 * 60 * 1000) /* insured.seen_ms is kept to the day, to save writes                    \
                           */
#define NEAR_MAX 8        /* family members under one insurer number */

struct identify {
    struct session *s;
    int64_t facility;
    const struct person_claim *claim;
    int64_t card_person; /* 0: no card */
    int64_t owner;       /* whose the insurer identity is now; 0: nobody's, or none claimed */
    struct person_agreement agreement; /* with the owner */
    int64_t chart;                     /* 0: not known yet */
    int64_t chart_person;
    struct person_match match;
};

/* ── agreement ───────────────────────────────────────────────────────────────────────────────── */

static void compare(struct slice claimed, struct slice held, bool decides,
                    struct person_agreement *agreement)
{
    if (claimed.len == 0 || held.len == 0)
        return;
    if (slice_eq(claimed, held))
        agreement->fields++;
    else if (decides)
        agreement->contradicted = true;
}

/* "unknown" is not a statement about somebody's gender. */
static struct slice said_gender(struct slice gender)
{
    return slice_is(gender, "unknown") ? SLICE_NONE : gender;
}

enum err person_agree(struct session *s, const struct person_claim *claim, int64_t person,
                      struct person_agreement *ret_agreement)
{
    struct person_agreement agreement = {0};
    struct sql *q;
    enum err err = sql_prepare(s, "SELECT name, kana, birth_date, gender FROM person WHERE id = ?",
                               SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, person);
    err = sql_row(q);
    if (err == ERR_OK) {
        compare(claim->name, sql_slice(q, 0), false, &agreement);
        compare(claim->kana, sql_slice(q, 1), false, &agreement);
        compare(claim->birth_date, sql_slice(q, 2), true, &agreement);
        compare(said_gender(claim->gender), said_gender(sql_slice(q, 3)), true, &agreement);
    }
    err = sql_done(q, err);
    if (err == ERR_OK)
        *ret_agreement = agreement;
    return err;
}

static bool may_link(struct person_agreement agreement)
{
    return agreement.fields >= PERSON_FIELDS_NEEDED && !agreement.contradicted;
}

/* Some insurers give no symbol; without insurer and number it identifies nobody. */
static bool has_identity(const struct person_claim *claim)
{
    return claim->insurer.len > 0 && claim->number.len > 0;
}

/* The owner of exactly the claimed identity, as it stands now; *ret_owner 0 when nobody. */
static enum err find_owner(struct session *s, const struct person_claim *claim, int64_t *ret_owner,
                           struct person_agreement *ret_agreement)
{
    int64_t owner = 0;
    enum err err;

    *ret_owner = 0;
    if (!has_identity(claim))
        return ERR_OK;
    err = person_by_insured(s, claim->insurer, claim->symbol, claim->number, claim->branch, &owner);
    if (err == ERR_NOT_FOUND)
        return ERR_OK;
    if (err == ERR_OK)
        err = person_agree(s, claim, owner, ret_agreement);
    if (err != ERR_OK)
        return err;
    ret_agreement->fields += claim->branch.len > 0 ? 3 : 2; /* insurer, symbol+number, branch */
    *ret_owner = owner;
    return ERR_OK;
}

/* ── reading what is known ───────────────────────────────────────────────────────────────────── */

static enum err check_claim(struct identify *id)
{
    const struct person_claim *claim = id->claim;
    enum err err;

    if (claim->local_no.len > 0 && claim->local_no.ptr[0] == '~')
        return ERR_INVALID; /* ours: numbers invented for charts without one */
    if (claim->card.len == 0)
        return ERR_OK;
    err = person_by_card(id->s, claim->card, &id->card_person);
    return err == ERR_NOT_FOUND ? ERR_PATIENT_UNKNOWN : err;
}

struct named_chart {
    int64_t id, person;
    bool has_alias, has_local;
};

static enum err find_named(struct sql *q, int64_t facility, struct slice name,
                           struct named_chart *ret_chart)
{
    bool found = false;
    enum err err;

    sql_bind_i64(q, 1, facility);
    sql_bind_text(q, 2, name);
    err = sql_step(q, &found);
    if (err == ERR_OK && found) {
        struct slice local_no = sql_slice(q, 3);

        ret_chart->id = sql_i64(q, 0);
        ret_chart->person = sql_i64(q, 1);
        ret_chart->has_alias = !sql_is_null(q, 2);
        ret_chart->has_local = local_no.len > 0 && local_no.ptr[0] != '~';
    }
    return sql_done(q, err);
}

/* The chart that the facility's number or Patient id names. Both must name the same one, and a
 * chart that bears another number or id already is another patient's. */
static enum err find_chart(struct identify *id)
{
    const struct person_claim *claim = id->claim;
    struct named_chart local = {0};
    struct named_chart alias = {0};
    struct named_chart *chart = &local;
    struct sql *q;
    enum err err = ERR_OK;

    if (claim->local_no.len > 0) {
        err = sql_prepare(id->s,
                          "SELECT id, person, alias, local_no FROM chart"
                          " WHERE facility = ? AND local_no = ?",
                          SQL_OWN, &q);
        if (err == ERR_OK)
            err = find_named(q, id->facility, claim->local_no, &local);
    }
    if (err == ERR_OK && claim->alias.len > 0) {
        err = sql_prepare(id->s,
                          "SELECT id, person, alias, local_no FROM chart"
                          " WHERE facility = ? AND alias = ?",
                          SQL_OWN, &q);
        if (err == ERR_OK)
            err = find_named(q, id->facility, claim->alias, &alias);
    }
    if (err != ERR_OK)
        return err;
    if (local.id && alias.id && local.id != alias.id)
        return ERR_PATIENT_MISMATCH;
    if (local.id && !alias.id && claim->alias.len > 0 && local.has_alias)
        return ERR_PATIENT_MISMATCH;
    if (alias.id && !local.id && claim->local_no.len > 0 && alias.has_local)
        return ERR_PATIENT_MISMATCH;
    if (!local.id)
        chart = &alias;
    id->chart = chart->id;
    id->chart_person = chart->person;
    return ERR_OK;
}

/* A claim without number or with a new Patient id: the facility's oldest chart of PERSON that can
 * bear it. */
static enum err find_unnamed(struct identify *id, int64_t person)
{
    struct sql *q;
    bool found = false;
    enum err err;

    if (id->claim->local_no.len > 0)
        return ERR_OK;
    err = sql_prepare(id->s,
                      "SELECT id FROM chart WHERE person = ?1 AND facility = ?2"
                      " AND (?3 = 0 OR alias IS NULL) ORDER BY id LIMIT 1",
                      SQL_OWN, &q);
    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, person);
    sql_bind_i64(q, 2, id->facility);
    sql_bind_i64(q, 3, id->claim->alias.len > 0);
    err = sql_step(q, &found);
    if (err == ERR_OK && found)
        id->chart = sql_i64(q, 0);
    return sql_done(q, err);
}

/* ── the queue ───────────────────────────────────────────────────────────────────────────────── */

/* Leaves "is CHART the candidate's?" to a human, unless one answered it before. */
static enum err queue(struct identify *id, int64_t candidate, unsigned fields)
{
    struct sql *q;
    bool open = false;
    enum err err;

    err = sql_prepare(id->s,
                      "INSERT INTO link_queue(chart, candidate, agreeing, at_ms) VALUES(?,?,?,?)"
                      " ON CONFLICT(chart, candidate) DO UPDATE SET agreeing = excluded.agreeing"
                      " WHERE decided_ms IS NULL AND agreeing <> excluded.agreeing",
                      SQL_OWN, &q);
    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, id->match.chart);
    sql_bind_i64(q, 2, candidate);
    sql_bind_i64(q, 3, fields);
    sql_bind_i64(q, 4, session_now_ms(id->s));
    err = sql_run(q);
    if (err == ERR_OK)
        err = sql_prepare(id->s,
                          "SELECT 1 FROM link_queue WHERE chart = ? AND candidate = ?"
                          " AND decided_ms IS NULL",
                          SQL_OWN, &q);
    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, id->match.chart);
    sql_bind_i64(q, 2, candidate);
    err = sql_step(q, &open);
    id->match.queued |= open;
    return sql_done(q, err);
}

/* The same insurer number with the branch said on one side only (older cards have none): never
 * linked, but worth a human's look when five other fields agree. */
static enum err queue_near(struct identify *id)
{
    const struct person_claim *claim = id->claim;
    int64_t persons[NEAR_MAX];
    size_t count = 0;
    bool more = false;
    struct sql *q;
    enum err err = sql_prepare(id->s,
                               "SELECT DISTINCT person FROM insured WHERE insurer = ?1"
                               " AND symbol = ?2 AND number = ?3 AND branch <> ?4"
                               " AND (branch = '' OR ?4 = '') AND person <> ?5",
                               SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_text(q, 1, claim->insurer);
    sql_bind_text(q, 2, claim->symbol);
    sql_bind_text(q, 3, claim->number);
    sql_bind_text(q, 4, claim->branch);
    sql_bind_i64(q, 5, id->match.person);
    while (count < NEAR_MAX && (err = sql_step(q, &more)) == ERR_OK && more)
        persons[count++] = sql_i64(q, 0);
    err = sql_done(q, err);
    for (size_t i = 0; err == ERR_OK && i < count; i++) {
        struct person_agreement agreement = {0};
        int64_t now = persons[i];

        err = person_now(id->s, persons[i], &now);
        if (err == ERR_OK)
            err = person_agree(id->s, claim, now, &agreement);
        agreement.fields += 2; /* insurer, symbol+number */
        if (err == ERR_OK && now != id->match.person && may_link(agreement))
            err = queue(id, now, agreement.fields);
    }
    return err;
}

/* ── writing ─────────────────────────────────────────────────────────────────────────────────── */

static enum err fill_person(struct session *s, int64_t person, const struct person_claim *claim)
{
    struct sql *q;
    enum err err = sql_prepare(
        s,
        "UPDATE person SET name = iif(name = '', ?2, name), kana = iif(kana = '', ?3, kana),"
        " birth_date = iif(birth_date = '', ?4, birth_date),"
        " gender = iif(gender = '', ?5, gender) WHERE id = ?1"
        " AND ((name = '' AND ?2 <> '') OR (kana = '' AND ?3 <> '')"
        "  OR (birth_date = '' AND ?4 <> '') OR (gender = '' AND ?5 <> ''))",
        SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, person);
    sql_bind_text(q, 2, claim->name);
    sql_bind_text(q, 3, claim->kana);
    sql_bind_text(q, 4, claim->birth_date);
    sql_bind_text(q, 5, said_gender(claim->gender));
    return sql_run(q);
}

/* The identity becomes PERSON's: it is nobody's, or of one who has become him, or his already. */
static enum err take_identity(struct session *s, const struct person_claim *claim, int64_t person)
{
    struct sql *q;
    enum err err = sql_prepare(
        s,
        "INSERT INTO insured(insurer, symbol, number, branch, person, seen_ms)"
        " VALUES(?1,?2,?3,?4,?5,?6)"
        " ON CONFLICT(insurer, symbol, number, branch) DO UPDATE SET person = ?5, seen_ms = ?6"
        " WHERE person <> ?5 OR seen_ms < ?6 - ?7",
        SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_text(q, 1, claim->insurer);
    sql_bind_text(q, 2, claim->symbol);
    sql_bind_text(q, 3, claim->number);
    sql_bind_text(q, 4, claim->branch);
    sql_bind_i64(q, 5, person);
    sql_bind_i64(q, 6, session_now_ms(s));
    sql_bind_i64(q, 7, SEEN_STEP_MS);
    return sql_run(q);
}

/* Looks again at whose the identity is, since a move may have changed that. */
static enum err settle_identity(struct identify *id)
{
    enum err err = find_owner(id->s, id->claim, &id->owner, &id->agreement);

    if (err != ERR_OK || !has_identity(id->claim))
        return err;
    if (id->owner != 0 && id->owner != id->match.person)
        return queue(id, id->owner, id->agreement.fields);
    if (id->owner == 0 && id->match.how == PERSON_NEW)
        err = queue_near(id);
    return err != ERR_OK ? err : take_identity(id->s, id->claim, id->match.person);
}

/* Names that the chart did not have yet. find_chart has seen that they are free. */
static enum err name_chart(struct identify *id)
{
    struct sql *q;
    enum err err = sql_prepare(id->s,
                               "UPDATE chart SET alias = coalesce(alias, ?2),"
                               " local_no = iif(local_no LIKE '~%' AND ?3 <> '', ?3, local_no)"
                               " WHERE id = ?1 AND ((alias IS NULL AND ?2 IS NOT NULL)"
                               "  OR (local_no LIKE '~%' AND ?3 <> ''))",
                               SQL_OWN, &q);

    if (err != ERR_OK)
        return err;
    sql_bind_i64(q, 1, id->match.chart);
    sql_bind_text_or_null(q, 2, id->claim->alias);
    sql_bind_text(q, 3, id->claim->local_no);
    return sql_run(q);
}

/* The facility's number was known, a card names somebody else. A chart alone under its person, who
 * has no card of his own, is the card's; a person of several charts is a human's question. */
static enum err follow_card(struct identify *id)
{
    struct person_agreement agreement = {0};
    int64_t charts = 0;
    bool carded = false;
    enum err err = person_is_carded(id->s, id->chart_person, &carded);

    if (err == ERR_OK && carded)
        return ERR_PATIENT_MISMATCH;
    if (err == ERR_OK)
        err = person_chart_count(id->s, id->chart_person, &charts);
    if (err == ERR_OK)
        err = person_agree(id->s, id->claim, id->card_person, &agreement);
    if (err != ERR_OK)
        return err;
    if (charts > 1)
        return queue(id, id->card_person, agreement.fields);
    err = person_move(id->s, id->chart, id->chart_person, id->card_person, "card");
    if (err == ERR_OK) {
        id->match.person = id->card_person;
        id->match.how = PERSON_BY_CARD;
    }
    return err;
}

static enum err take_known(struct identify *id)
{
    id->match.chart = id->chart;
    id->match.person = id->chart_person;
    id->match.how = PERSON_BY_CHART;
    if (id->card_person == 0 || id->card_person == id->chart_person)
        return ERR_OK;
    return follow_card(id);
}

static enum err take_new(struct identify *id)
{
    static const char *const reasons[] = {
        [PERSON_BY_CARD] = "card", [PERSON_BY_INSURER] = "insurer", [PERSON_NEW] = "local"};
    struct person_match *match = &id->match;
    enum err err = ERR_OK;

    if (id->card_person != 0) {
        match->how = PERSON_BY_CARD;
        match->person = id->card_person;
    } else if (id->owner != 0 && may_link(id->agreement)) {
        match->how = PERSON_BY_INSURER;
        match->person = id->owner;
    } else {
        match->how = PERSON_NEW;
        err = person_make(id->s, id->claim, &match->person);
    }
    if (err == ERR_OK && match->how != PERSON_NEW)
        err = find_unnamed(id, match->person);
    if (err != ERR_OK)
        return err;
    match->chart = id->chart;
    if (match->chart != 0)
        return ERR_OK;
    return person_make_chart(id->s, id->facility, id->claim, match->person, reasons[match->how],
                             &match->chart);
}

enum err person_identify(struct session *s, int64_t facility, const struct person_claim *claim,
                         struct person_match *ret_match)
{
    struct identify id = {.s = s, .facility = facility, .claim = claim};
    enum err err;

    assert(session_writes(s) && facility > 0);
    err = check_claim(&id);
    if (err == ERR_OK)
        err = find_owner(s, claim, &id.owner, &id.agreement);
    if (err == ERR_OK)
        err = find_chart(&id);
    if (err == ERR_OK)
        err = id.chart != 0 ? take_known(&id) : take_new(&id);
    if (err == ERR_OK)
        err = name_chart(&id);
    if (err == ERR_OK)
        err = settle_identity(&id);
    if (err == ERR_OK)
        err = fill_person(s, id.match.person, claim);
    if (err == ERR_OK)
        *ret_match = id.match;
    return err;
}

/* At the desk: a person whom charts made known already is found by the same rule, so that his card
 * leads to them; an identity that is another's stays there. */
enum err person_register(struct session *s, const struct person_claim *claim, int64_t *ret_person)
{
    struct person_agreement agreement = {0};
    int64_t owner = 0;
    int64_t person = 0;
    enum err err;

    assert(session_writes(s));
    err = find_owner(s, claim, &owner, &agreement);
    if (err != ERR_OK)
        return err;
    if (owner != 0 && may_link(agreement)) {
        person = owner;
        err = fill_person(s, person, claim);
    } else {
        err = person_make(s, claim, &person);
    }
    if (err == ERR_OK && has_identity(claim) && (owner == 0 || owner == person))
        err = take_identity(s, claim, person);
    if (err == ERR_OK)
        *ret_person = person;
    return err;
}
