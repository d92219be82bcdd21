/* SPDX-License-Identifier: Apache-2.0
 *
 * Turns of a feed against a real store, without a network: what is under way is made again byte for
 * byte; what changes between look and commit is not sent and leaves no audit row; each verdict's
 * effect on the row; letters; an operator's word at any moment.
 */
#include "exchange/push/feed_turn.h"

#include "base/limits.h"
#include "exchange/pipeline.h"
#include "lib/t.h"
/* needs what t.h brings */
#include "lib/store_fixture.h"
#include "mappers/charset.h"
#include "storage/change.h"

#include "base/banned.h"

struct world {
    struct fixture f;
    struct exchange x;
    int64_t source, receiver, desk; /* facilities */
    int64_t person, chart;          /* his chart at the source */
    struct conf_feed conf;
};

static enum err identify(struct session *s, void *context)
{
    struct world *w = context;
    const struct person_claim claim = {.local_no = SLICE("C-1"), .name = SLICE("結城 花")};
    struct person_match match;
    enum err err = person_identify(s, w->receiver, &claim, &match);
    w->person = match.person;
    return err;
}

static void permit(struct world *w, bool yes)
{
    const struct consent_rule rule = {.permit = yes,
                                      .purposes = GRANT_PURPOSES_ORDINARY,
                                      .categories = CATEGORY_ALL,
                                      .from_ms = INT64_MIN,
                                      .to_ms = INT64_MAX};
    fixture_rules(&w->f, w->chart, 1, &rule, 1);
}

static void open_world(struct world *w)
{
    memset(w, 0, sizeof(*w));
    fixture_open(&w->f);
    (void)pthread_mutex_init(&w->x.wires.lock, NULL);
    w->x.store = w->f.store;
    w->x.clock = &w->f.clock.clock;
    w->source = fixture_add_facility(&w->f, 1, FACILITY_HOSPITAL);
    w->receiver = fixture_add_facility(&w->f, 2, FACILITY_CLINIC);
    w->desk = fixture_add_facility(&w->f, 3, FACILITY_OPERATOR);
    assert_int_equal(fixture_write(&w->f, identify, w), ERR_OK);
    w->chart = fixture_add_chart(&w->f, w->source, w->person);
    permit(w, true);
    w->conf = (struct conf_feed){.name = "clinic",
                                 .facility = "f2",
                                 .host = "h",
                                 .port = 1,
                                 .send = "laboratory",
                                 .charset = "utf-8",
                                 .application = "",
                                 .place = ""};
}

static void close_world(struct world *w)
{
    (void)pthread_mutex_destroy(&w->x.wires.lock);
    fixture_close(&w->f);
}

/* A result of the source; again with the same id: its next version. */
static void result(struct world *w, const char *id, int value)
{
    char body[300];
    struct facet_list facets = {0};
    snprintf(body, sizeof(body),
             "{\"resourceType\":\"Observation\",\"status\":\"final\",\"code\":{\"text\":\"%s\"},"
             "\"subject\":{\"reference\":\"Patient/@\"},\"valueInteger\":%d}",
             id, value);
    const struct record_new record = {.type = SLICE("Observation"),
                                      .id = slice_str(id),
                                      .chart = w->chart,
                                      .category = CATEGORY_LABORATORY,
                                      .when = {WHEN_MIN, WHEN_MAX},
                                      .body = slice_str(body),
                                      .facets = &facets};
    fixture_put(&w->f, w->source, &record);
}

/* Another step between look and commit. */
static enum err (*meanwhile)(struct session *s, void *context);
static struct world *meanwhile_world;

static enum err apply_late(struct session *s, struct request *r)
{
    enum err err = meanwhile ? meanwhile(s, meanwhile_world) : ERR_OK;
    return err ? err : feed_turn_use.apply(s, r);
}

/* what a line remembers from turn to turn */
static int64_t window_ms = 600000, scanned;

struct turn {
    struct request *r;
    struct feed_turn *t;
};

static struct turn turn_with(struct world *w, enum feed_verdict verdict, const char *id, bool offer)
{
    static struct use use;
    struct request *r = request_new(&w->x, REQUEST_PUSH);
    struct feed_turn *t = ARENA_NEW(r->arena, struct feed_turn);
    use = feed_turn_use;
    use.apply = apply_late;
    *t = (struct feed_turn){.conf = &w->conf,
                            .verdict = verdict,
                            .control_id = arena_dup(r->arena, slice_str(id)),
                            .code = SLICE("AE"),
                            .reason = SLICE("no such item"),
                            .wait_ms = 1000,
                            .window_ms = window_ms,
                            .scanned = scanned,
                            .offer = offer};
    r->use = &use;
    r->input = t;
    r->facility_key = SLICE("f2");
    r->purpose = SLICE("TREAT");
    r->peer = SLICE("push");
    assert_int_equal(pipeline_run(r), ERR_OK);
    return (struct turn){r, t};
}

static struct turn offered(struct world *w)
{
    return turn_with(w, FEED_NONE, "", true);
}

static void end(struct turn turn)
{
    request_free(turn.r);
}

static uint64_t audited(struct world *w)
{
    struct store_figures figures;
    store_figures(w->f.store, &figures);
    return figures.audit_seq;
}

static bool says(const struct turn *turn, const char *text)
{
    return slice_search(turn->t->message, slice_str(text), 0) < turn->t->message.len;
}

static void test_turns(void **state)
{
    struct world w;
    char id[REPORT_CONTROL_ID + 1];
    (void)state;
    open_world(&w);
    result(&w, "old", 1);
    end(offered(&w)); /* the feed begins here */
    struct turn turn = offered(&w);
    assert_false(turn.t->offered);
    assert_false(turn.t->more);
    end(turn);
    result(&w, "o1", 5);
    uint64_t before = audited(&w);
    turn = turn_with(&w, FEED_NONE, "", false); /* no connection: found, nothing noted */
    assert_true(turn.t->until > 0 && !turn.t->offered);
    end(turn);
    assert_int_equal(audited(&w), before);
    turn = offered(&w);
    assert_true(turn.t->offered);
    assert_true(says(&turn, "|5|") && says(&turn, "C-1^^^1300000002&"));
    assert_false(says(&turn, "old"));
    assert_int_equal(audited(&w), before + 1);
    snprintf(id, sizeof(id), "%s", turn.t->message_id);
    /* no answer known: byte for byte the same, disclosed once more */
    struct turn again = offered(&w);
    assert_true(slice_eq(turn.t->message, again.t->message));
    assert_string_equal(id, again.t->message_id);
    assert_int_equal(audited(&w), before + 2);
    end(again);
    end(turn);
    /* a verdict on another message changes nothing */
    turn = turn_with(&w, FEED_ACCEPTED, "ANOTHER", true);
    assert_int_equal(turn.t->now.sent, 0);
    assert_string_equal(turn.t->message_id, id);
    end(turn);
    result(&w, "o2", 6);
    turn = turn_with(&w, FEED_ACCEPTED, id, true); /* settles and offers the next in one commit */
    assert_int_equal(turn.t->now.sent, 1);
    assert_true(turn.t->offered && says(&turn, "|6|") && !says(&turn, "|5|"));
    end(turn);
    close_world(&w);
}

static void test_failures(void **state)
{
    struct world w;
    (void)state;
    open_world(&w);
    end(offered(&w));
    result(&w, "o1", 5);
    struct turn turn = offered(&w);
    char id[REPORT_CONTROL_ID + 1];
    snprintf(id, sizeof(id), "%s", turn.t->message_id);
    end(turn);
    for (unsigned i = 1; i <= 3; i++) {
        turn = turn_with(&w, FEED_FAILED, id, true);
        assert_int_equal(turn.t->now.failures, i);
        assert_int_equal(turn.t->now.next_ms, FIXTURE_NOW + 1000);
        assert_false(turn.t->offered);
        end(turn);
    }
    turn = offered(&w);
    assert_string_equal(turn.t->message_id, id);
    end(turn);
    turn = turn_with(&w, FEED_ACCEPTED, id, true);
    assert_int_equal(turn.t->now.failures, 0);
    assert_int_equal(turn.t->now.until, 0);
    end(turn);
    close_world(&w);
}

/* Quiet weeks of the log, and those in which nothing is for this facility, take a turn or two. */
static void test_quiet_times(void **state)
{
    struct world w;
    (void)state;
    open_world(&w);
    w.f.clock.ms = FIXTURE_NOW;
    end(offered(&w)); /* of an empty store: the log's beginning of time */
    for (int i = 1; i <= 3; i++) {
        char id[REPORT_CONTROL_ID + 1], name[16];
        w.f.clock.ms += INT64_C(40) * 24 * 3600 * 1000;
        permit(&w, false);
        result(&w, "hidden", i);
        w.f.clock.ms += INT64_C(40) * 24 * 3600 * 1000;
        permit(&w, true);
        snprintf(name, sizeof(name), "o%d", i);
        result(&w, "hidden", 10 + i);
        result(&w, name, i);
        struct turn turn = offered(&w);
        int turns = 1;
        for (; !turn.t->offered && turn.t->more && turns < 5; turns++) {
            end(turn);
            turn = offered(&w);
        }
        assert_true(turn.t->offered);
        assert_true(turns <= 2);
        snprintf(id, sizeof(id), "%s", turn.t->message_id);
        end(turn);
        end(turn_with(&w, FEED_ACCEPTED, id, true));
    }
    close_world(&w);
}

/* However short the window: each turn gets on, and what is there is found. */
static void test_short_windows(void **state)
{
    struct world w;
    (void)state;
    open_world(&w);
    end(offered(&w));
    w.conf.send = "imaging"; /* nothing of what comes is for this feed */
    for (int i = 1; i <= 30; i++) {
        w.f.clock.ms += 10;
        result(&w, i % 2 ? "o1" : "o2", i);
    }
    window_ms = 1;
    struct turn turn = offered(&w);
    for (int turns = 1; turn.t->more; turns++) {
        assert_true(turns < 40 && turn.t->scanned > scanned);
        scanned = turn.t->scanned;
        end(turn);
        turn = offered(&w);
    }
    end(turn);
    w.conf.send = "laboratory";
    result(&w, "o3", 99);
    turn = offered(&w);
    assert_true(turn.t->offered && says(&turn, "|99|"));
    end(turn);
    window_ms = 600000;
    scanned = 0;
    close_world(&w);
}

static enum err forbid(struct session *s, void *context)
{
    struct world *w = context;
    return consent_put_rules(s, w->chart, (int64_t)((uint64_t)w->chart << 32) + 1001, NULL, 0);
}

static enum err correct(struct session *s, void *context)
{
    struct world *w = context;
    struct grant grant = fixture_facility(w->source, GRANT_TREAT);
    struct facet_list facets = {0};
    const struct record_new record = {
        .type = SLICE("Observation"),
        .id = SLICE("o1"),
        .chart = w->chart,
        .category = CATEGORY_LABORATORY,
        .when = {WHEN_MIN, WHEN_MAX},
        .body = SLICE("{\"resourceType\":\"Observation\",\"status\":\"corrected\","
                      "\"code\":{\"text\":\"o1\"},\"valueInteger\":55}"),
        .facets = &facets};
    struct record_mark mark;
    session_bind(s, &grant);
    return record_put(s, &record, 0, &mark);
}

static enum err drop(struct session *s, void *context)
{
    struct world *w = context;
    struct feed row;
    enum err err = feed_get(s, w->f.arena, SLICE("clinic"), &row);
    row.position = INT64_MAX / 2;
    return err ? err : feed_put(s, &row);
}

/* What became otherwise after the look is not sent, and nothing says that it was. */
static void test_between_look_and_commit(void **state)
{
    static enum err (*const steps[])(struct session *, void *) = {forbid, drop};
    (void)state;
    for (size_t i = 0; i < T_COUNT(steps); i++) {
        struct world w;
        open_world(&w);
        end(offered(&w));
        result(&w, "o1", 5);
        uint64_t before = audited(&w);
        meanwhile = steps[i];
        meanwhile_world = &w;
        struct turn turn = offered(&w);
        meanwhile = NULL;
        assert_true(turn.t->message.len > 0); /* it was found and made ... */
        assert_false(turn.t->offered);        /* ... and not offered */
        assert_true(turn.t->more);
        assert_int_equal(audited(&w), before);
        end(turn);
        turn = offered(&w);
        assert_false(turn.t->offered);
        assert_int_equal(audited(&w), before);
        end(turn);
        close_world(&w);
    }
}

static void test_corrected_between(void **state)
{
    struct world w;
    (void)state;
    open_world(&w);
    end(offered(&w));
    result(&w, "o1", 5);
    struct turn first = offered(&w);
    char id[REPORT_CONTROL_ID + 1];
    snprintf(id, sizeof(id), "%s", first.t->message_id);
    end(first);
    assert_int_equal(fixture_write(&w.f, correct, &w), ERR_OK);
    struct turn turn =
        offered(&w); /* what was under way has nothing left: the correction is told in its turn */
    assert_true(turn.t->gone && turn.t->more && !turn.t->offered);
    end(turn);
    turn = offered(&w);
    assert_true(turn.t->offered && says(&turn, "|55|") && says(&turn, "|C|"));
    assert_string_not_equal(turn.t->message_id, id);
    end(turn);
    close_world(&w);
}

static int64_t steer(struct world *w, int64_t letter, bool all, enum feed_order order,
                     enum err want)
{
    struct request *r = request_new(&w->x, REQUEST_COMMAND);
    struct feed_steer in = {.name = SLICE("clinic"), .letter = letter, .all = all, .order = order};
    r->use = &feed_steer_use;
    r->input = &in;
    r->facility_key = SLICE("f3");
    assert_int_equal(pipeline_run(r), want);
    request_free(r);
    return in.count;
}

static void test_letters(void **state)
{
    struct world w;
    char id[REPORT_CONTROL_ID + 1];
    (void)state;
    open_world(&w);
    end(offered(&w));
    assert_int_equal(steer(&w, 0, false, FEED_DROP, ERR_NOT_FOUND), 0); /* nothing is under way */
    result(&w, "o1", 5);
    struct turn turn = offered(&w);
    snprintf(id, sizeof(id), "%s", turn.t->message_id);
    end(turn);
    result(&w, "o2", 6);
    turn = turn_with(&w, FEED_REFUSED, id, true); /* a letter, and the next */
    assert_int_equal(turn.t->now.refused, 1);
    assert_true(turn.t->offered && says(&turn, "|6|"));
    snprintf(id, sizeof(id), "%s", turn.t->message_id);
    end(turn);
    end(turn_with(&w, FEED_ACCEPTED, id, true));
    assert_int_equal(steer(&w, 7, false, FEED_RETRY, ERR_NOT_FOUND), 0);
    assert_int_equal(steer(&w, 1, false, FEED_RETRY, ERR_OK), 1);
    turn = offered(&w);
    assert_true(turn.t->offered && turn.t->letter == 1 && says(&turn, "|5|"));
    snprintf(id, sizeof(id), "%s", turn.t->message_id);
    end(turn);
    turn = turn_with(&w, FEED_REFUSED, id, true); /* still the same letter */
    assert_int_equal(turn.t->now.refused, 2);
    end(turn);
    assert_int_equal(steer(&w, 2, false, FEED_RETRY, ERR_NOT_FOUND), 0);
    assert_int_equal(steer(&w, 0, true, FEED_RETRY, ERR_OK), 1);
    permit(&w, false);
    turn = offered(&w); /* nothing of it may be told now */
    assert_true(turn.t->gone && !turn.t->offered);
    end(turn);
    assert_int_equal(steer(&w, 1, false, FEED_RETRY, ERR_NOT_FOUND), 0); /* settled: gone */
    permit(&w, true);
    result(&w, "o3", 7);
    turn = offered(&w);
    snprintf(id, sizeof(id), "%s", turn.t->message_id);
    assert_true(says(&turn, "|7|"));
    end(turn);
    assert_int_equal(steer(&w, 0, false, FEED_DROP, ERR_OK), 1); /* while it is at the receiver */
    turn = turn_with(&w, FEED_ACCEPTED, id, true);
    assert_int_equal(turn.t->now.sent, 1); /* only o2 */
    assert_false(turn.t->offered);
    end(turn);
    close_world(&w);
}

static int setup(void **state)
{
    (void)state;
    return charset_init() == ERR_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_turns),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_quiet_times),
        cmocka_unit_test(test_short_windows),
        cmocka_unit_test(test_between_look_and_commit),
        cmocka_unit_test(test_corrected_between),
        cmocka_unit_test(test_letters),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
