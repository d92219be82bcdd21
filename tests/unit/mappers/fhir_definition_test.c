/* SPDX-License-Identifier: Apache-2.0
 *
 * The generated tables: sorted as the look-ups need them, complete, closed (every type an element
 * names is there), and every compiled search path leads through elements that exist.
 */
#include "lib/t.h"

#include "mappers/fhir/definition.h"
#include "mappers/fhir/gen/tables.h"

#include "base/banned.h"

static const struct definition_element *element(const char *type, const char *name)
{
    const struct definition_type *t = definition_type(slice_str(type));
    assert_non_null(t);
    return definition_element(t, slice_str(name));
}

static void looks_up_types(void **state)
{
    static const char *const none[] = {
        "",         "patient", "Patien",         "Patientx",
        "Resource", "Zebra",   "DomainResource", "SubscriptionStatus",
        "\xFF"};
    size_t count = 0;
    const struct definition_type *const *all = definition_resources(&count);
    (void)state;
    assert_int_equal(count, 146);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(all[i]->kind, DEFINITION_RESOURCE);
        assert_true(i == 0 || strcmp(all[i - 1]->name, all[i]->name) < 0);
    }
    for (size_t i = 0; i < TABLES_TYPES; i++)
        assert_ptr_equal(definition_type(slice_str(tables_types[i].name)), &tables_types[i]);
    for (size_t i = 0; i < T_COUNT(none); i++)
        assert_null(definition_type(slice_str(none[i])));
    assert_null(definition_type(slice_of("Patient\0x", 9)));
    assert_int_equal(definition_type(SLICE("Patient"))->kind, DEFINITION_RESOURCE);
    assert_int_equal(definition_type(SLICE("HumanName"))->kind, DEFINITION_COMPLEX);
    assert_int_equal(definition_type(SLICE("string"))->kind, DEFINITION_PRIMITIVE);
    assert_int_equal(definition_type(SLICE("Patient.contact"))->kind, DEFINITION_BACKBONE);
    assert_int_equal(definition_type(SLICE("Timing.repeat"))->kind, DEFINITION_BACKBONE);
    assert_string_equal(tables_types[TABLES_AT_REFERENCE].name, "Reference");
    assert_string_equal(tables_types[TABLES_PRIMITIVE + TABLES_XHTML].name, "xhtml");
}

static void assert_codes_sorted(const char *const *codes)
{
    assert_non_null(codes[0]);
    for (size_t i = 1; codes[i]; i++)
        assert_true(strcmp(codes[i - 1], codes[i]) < 0);
}

static void tables_are_sound(void **state)
{
    (void)state;
    for (size_t i = 0; i < TABLES_TYPES; i++) {
        const struct definition_type *t = &tables_types[i];
        assert_true(i == 0 || strcmp(t[-1].name, t->name) < 0);
        assert_int_equal(t->kind == DEFINITION_PRIMITIVE, i >= TABLES_PRIMITIVE);
        assert_in_range(t->element_count, 1, TABLES_ELEMENTS_MAX);
        for (size_t k = 0; k < t->element_count; k++) {
            const struct definition_element *e = &t->elements[k];
            assert_true(k == 0 || strcmp(e[-1].name, e->name) < 0);
            assert_ptr_equal(definition_element(t, slice_str(e->name)), e);
            assert_in_range(t->order[k] - t->elements, 0, t->element_count - 1);
            assert_true(!e->type ||
                        (e->type >= tables_types && e->type < tables_types + TABLES_TYPES));
            assert_in_range(e->choice, 0, 63);
            assert_true(e->type || strcmp(e->name, "contained") == 0 ||
                        strcmp(e->name, "resource") == 0 || strcmp(e->name, "outcome") == 0);
            if (e->codes)
                assert_codes_sorted(e->codes);
        }
    }
}

static void knows_elements(void **state)
{
    const struct definition_element *e = element("Patient", "name");
    (void)state;
    assert_true(e->many && e->summary && e->min == 0 && e->choice == 0 && !e->codes);
    assert_string_equal(e->type->name, "HumanName");
    e = element("Observation", "status");
    assert_true(e->min == 1 && !e->many);
    assert_string_equal(e->codes[0], "amended");
    e = element("Observation", "valueQuantity");
    assert_int_equal(e->choice, element("Observation", "valueString")->choice);
    assert_int_not_equal(e->choice, element("Observation", "effectiveDateTime")->choice);
    assert_int_equal(definition_base_len(e), 5);
    assert_int_equal(definition_base_len(element("Observation", "valueString")), 5);
    assert_int_equal(definition_base_len(element("Observation", "status")), 6);
    assert_null(element("Observation", "value"));
    assert_string_equal(element("Observation", "id")->type->name, "id");
    assert_string_equal(element("Observation.component", "id")->type->name, "string");
    assert_string_equal(element("Extension", "url")->type->name, "uri");
    assert_string_equal(element("Bundle.entry", "link")->type->name, "Bundle.link");
    assert_string_equal(element("Questionnaire.item", "item")->type->name, "Questionnaire.item");
    assert_string_equal(element("string", "extension")->type->name, "Extension");
    assert_string_equal(element("Condition", "onsetAge")->type->name, "Age");
    assert_null(element("Patient", "contained")->type);
    assert_null(element("string", "value"));
    assert_null(element("Age", "modifierExtension"));
    assert_string_equal(definition_type(SLICE("Patient"))->order[0]->name, "id");
    assert_string_equal(definition_type(SLICE("HumanName"))->order[2]->name, "use");
}

/* ── search parameters ───────────────────────────────────────────────────────────────────────── */

static void looks_up_params(void **state)
{
    const struct definition_param *p = definition_param(SLICE("Patient"), SLICE("birthdate"));
    size_t count = 9;
    (void)state;
    assert_non_null(p);
    assert_int_equal(p->kind, FACET_DATE);
    assert_string_equal(p->url, "http://hl7.org/fhir/SearchParameter/individual-birthdate");
    assert_string_equal(p->base, "Patient");
    assert_int_equal(definition_param(SLICE("Person"), SLICE("birthdate"))->number, p->number);
    p = definition_param(SLICE("Observation"), SLICE("patient"));
    assert_string_equal(p->targets, "Patient");
    assert_string_equal(definition_param(SLICE("Provenance"), SLICE("target"))->targets, "");
    assert_null(definition_param(SLICE("Patient"), SLICE("nonesuch")));
    p = definition_param(SLICE("Observation"), SLICE("code-value-quantity"));
    assert_int_equal(p->kind, FACET_COMPOSITE);
    assert_int_equal(p->part_count, 2);
    assert_int_equal(p->parts[0].kind, FACET_TOKEN);
    assert_string_equal(p->parts[0].param->code, "code");
    assert_int_equal(p->parts[1].kind, FACET_QUANTITY);
    assert_string_equal(p->parts[1].param->base, "Observation");
    p = definition_param(SLICE("Patient"), SLICE("gender"));
    assert_true(p->common);
    assert_string_equal(p->system, "http://hl7.org/fhir/administrative-gender");
    p = definition_param(SLICE("Observation"), SLICE("code"));
    assert_false(p->common);
    assert_string_equal(p->system, "");
    assert_ptr_equal(definition_param_by_number(SLICE("Observation"), p->number), p);
    assert_int_equal(definition_param_by_number(SLICE_NONE, p->number)->number, p->number);
    assert_null(definition_param_by_number(SLICE("Patient"), p->number));
    assert_null(definition_param_by_number(SLICE_NONE, 1400));
    assert_null(definition_param(SLICE("HumanName"), SLICE("family")));
    assert_null(definition_params(SLICE("Nothing"), &count));
    assert_int_equal(count, 0);
}

/* Numbers are stored in databases: a change of the list must not pass unseen. */
static void numbers_are_stable(void **state)
{
    static const struct {
        const char *type, *code;
        int number;
    } known[] = {{"Patient", "birthdate", 1373},
                 {"Observation", "date", 1336},
                 {"Observation", "patient", 1339},
                 {"Account", "identifier", 0}};
    (void)state;
    for (size_t i = 0; i < T_COUNT(known); i++)
        assert_int_equal(
            definition_param(slice_str(known[i].type), slice_str(known[i].code))->number,
            known[i].number);
}

/* Leaves of a subtree; its nodes are in order, within the array, and seen once. */
static size_t check_tree(const struct tables_node *node, unsigned depth)
{
    size_t leaves = node->leaf_count;
    assert_true(depth < TABLES_DEPTH);
    for (unsigned i = 0; i < node->leaf_count; i++) {
        const struct tables_leaf *l = &tables_leaves[node->first_leaf + i];
        assert_in_range(l->param, 0, TABLES_PARAMS - 1);
        assert_true(strchr("ABCDGHIKPRcdmnpqrstuv", l->letter) && l->level <= TABLES_DEPTH);
        assert_true((l->level > 0) == (tables_params[l->param].kind == FACET_COMPOSITE));
    }
    for (unsigned i = 0; i < node->child_count; i++) {
        const struct tables_node *child = &tables_nodes[node->first_child + i];
        assert_true(i == 0 || strcmp(child[-1].name, child->name) <= 0);
        assert_int_equal(strlen(child->name), child->name_len);
        leaves += check_tree(child, depth + 1);
    }
    for (unsigned i = 0; i < node->group_count; i++) {
        const struct tables_group *g = &tables_groups[node->first_group + i];
        assert_int_equal(tables_params[g->param].part_count, g->part_count);
        leaves += g->outer ? check_tree(&tables_nodes[g->outer], depth) : 0;
    }
    return leaves;
}

static void params_are_sound(void **state)
{
    size_t total = 0;
    size_t types;
    const struct definition_type *const *all = definition_resources(&types);
    (void)state;
    for (size_t i = 0; i < types; i++) {
        size_t count;
        const struct definition_param *p = definition_params(slice_str(all[i]->name), &count);
        total += count;
        for (size_t k = 0; k < count; k++) {
            assert_true(k == 0 || strcmp(p[k - 1].code, p[k].code) < 0);
            assert_string_equal(p[k].base, all[i]->name);
            assert_in_range(p[k].number, 0, 1399);
            assert_true((p[k].kind == FACET_COMPOSITE) == (p[k].part_count > 0));
        }
        assert_true(check_tree(definition_tree(slice_str(all[i]->name)), 0) >= count - 2);
    }
    assert_int_equal(total, TABLES_PARAMS);
}

static void finds_referrers(void **state)
{
    size_t count = 0;
    bool seen = false;
    (void)state;
    for (const struct definition_param *p = NULL;;) {
        p = definition_next_referrer(SLICE("Encounter"), p);
        if (!p)
            break;
        assert_true(definition_can_target(p, SLICE("Encounter")));
        seen |= strcmp(p->base, "Observation") == 0 && strcmp(p->code, "encounter") == 0;
        count++;
    }
    assert_true(seen && count > 40);
    assert_false(definition_can_target(definition_param(SLICE("Observation"), SLICE("encounter")),
                                       SLICE("Patient")));
    assert_true(definition_can_target(definition_param(SLICE("Provenance"), SLICE("target")),
                                      SLICE("Patient")));
    assert_false(
        definition_can_target(definition_param(SLICE("Patient"), SLICE("name")), SLICE("Patient")));
}

static void knows_compartments(void **state)
{
    static const struct {
        const char *compartment, *type;
        const char *codes;
    } rows[] = {
        {"Patient", "Observation", "subject performer "},
        {"Patient", "Patient", "link "},
        {"Practitioner", "Observation", "performer "},
        {"Encounter", "Encounter", ""},
        {"Encounter", "Observation", "encounter "},
        {"Device", "Observation", "subject device "},
        {"RelatedPerson", "Encounter", "participant "},
        {"Patient", "Organization", ""},
        {"Patient", "Nothing", ""},
        {"Organization", "Observation", ""},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct buf codes;
        size_t count;
        const struct definition_param *const *params =
            definition_compartment(slice_str(rows[i].compartment), slice_str(rows[i].type), &count);
        buf_init(&codes, 1000);
        for (size_t k = 0; k < count; k++) {
            assert_string_equal(params[k]->base, rows[i].type);
            buf_addf(&codes, "%s ", params[k]->code);
        }
        assert_buf(&codes, rows[i].codes);
        buf_fini(&codes);
    }
}

/* No type that R4 has in the patient compartment may ever be everybody's. */
static void public_is_of_no_person(void **state)
{
    static const char *const open[] = {"Organization", "ValueSet", "Questionnaire", "Medication"};
    static const char *const closed[] = {"Binary", "Bundle", "Task",    "Device",
                                         "Group",  "Basic",  "Patient", "x"};
    size_t types;
    const struct definition_type *const *all = definition_resources(&types);
    (void)state;
    for (size_t i = 0; i < types; i++) {
        struct slice name = slice_str(all[i]->name);
        assert_false(definition_is_public(name) && definition_in_patient(name));
    }
    for (size_t i = 0; i < T_COUNT(open); i++)
        assert_true(definition_is_public(slice_str(open[i])));
    for (size_t i = 0; i < T_COUNT(closed); i++)
        assert_false(definition_is_public(slice_str(closed[i])));
}

static void names_modifiers(void **state)
{
    (void)state;
    for (int kind = FACET_TOKEN; kind <= FACET_SPECIAL; kind++)
        assert_non_null(definition_modifiers((enum facet_kind)kind));
    assert_string_equal(definition_modifiers(FACET_STRING), "exact contains");
}

static void knows_the_compartment(void **state)
{
    static const char *const in[] = {"Observation", "Condition", "Encounter", "Coverage",
                                     "AuditEvent"};
    static const char *const out[] = {"Patient", "Organization", "Practitioner",
                                      "Device",  "Task",         "x"};
    (void)state;
    for (size_t i = 0; i < T_COUNT(in); i++)
        assert_true(definition_in_patient(slice_str(in[i])));
    for (size_t i = 0; i < T_COUNT(out); i++)
        assert_false(definition_in_patient(slice_str(out[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looks_up_types),        cmocka_unit_test(tables_are_sound),
        cmocka_unit_test(knows_elements),        cmocka_unit_test(looks_up_params),
        cmocka_unit_test(numbers_are_stable),    cmocka_unit_test(params_are_sound),
        cmocka_unit_test(knows_the_compartment), cmocka_unit_test(finds_referrers),
        cmocka_unit_test(knows_compartments),    cmocka_unit_test(public_is_of_no_person),
        cmocka_unit_test(names_modifiers),
    };
    return T_RUN(tests);
}
