/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables of routes and of operations name the same operations: whoever adds to one is told here to add to the other.
 */
#include "lib/t.h"

#include "exchange/door/fhir_operation.h"
#include "mappers/fhir/definition.h"

#include "base/banned.h"

static bool is_operation(enum fhir_shape shape)
{
    return shape == FHIR_SYSTEM_OPERATION || shape == FHIR_TYPE_OPERATION ||
           shape == FHIR_INSTANCE_OPERATION || shape == FHIR_VERSION_OPERATION;
}

static void every_route_has_a_row(void **state)
{
    (void)state;
    for (const struct fhir_route *row = fhir_routes; row->method; row++) {
        if (is_operation(row->shape) != (fhir_operation_of(row) != NULL))
            fail_msg("%s $%s of %s", row->method, row->name, row->type ? row->type : "all");
        if (is_operation(row->shape) && row->interaction)
            fail_msg("$%s is no interaction", row->name);
    }
}

static bool has_route(const struct fhir_operation *op, unsigned where)
{
    for (const struct fhir_route *row = fhir_routes; row->method; row++) {
        bool there = (where == OPERATION_SYSTEM && row->shape == FHIR_SYSTEM_OPERATION) ||
                     (where == OPERATION_TYPE && row->shape == FHIR_TYPE_OPERATION) ||
                     (where == OPERATION_INSTANCE && row->shape == FHIR_INSTANCE_OPERATION);
        if (there && fhir_operation_of(row) == op)
            return true;
    }
    return false;
}

static void every_row_has_its_routes(void **state)
{
    (void)state;
    for (const struct fhir_operation *op = fhir_operations; op->name; op++)
        for (unsigned where = OPERATION_SYSTEM; where <= OPERATION_INSTANCE; where *= 2)
            if ((op->where & where) && !has_route(op, where))
                fail_msg("$%s: no route at %u", op->name, where);
}

/* What changes something must not be asked by GET (R4 operations.html#executing). $export makes a job, no resource. */
static void get_changes_nothing(void **state)
{
    (void)state;
    for (const struct fhir_route *row = fhir_routes; row->method; row++) {
        const struct fhir_operation *op = fhir_operation_of(row);
        if (op && strcmp(row->method, "GET") == 0 && op->affects_state)
            fail_msg("GET $%s", row->name);
        if (op && op->affects_state != row->use->writes && strcmp(op->name, "export") != 0)
            fail_msg("$%s: affectsState", row->name);
    }
}

static void parameters_are_well_formed(void **state)
{
    (void)state;
    for (const struct fhir_operation *op = fhir_operations; op->name; op++)
        for (const struct fhir_operation_param *p = op->params; p->name; p++) {
            bool parts = false;
            for (const struct fhir_operation_param *q = op->params; q->name; q++)
                parts = parts || (q->part_of && strcmp(q->part_of, p->name) == 0);
            if (!p->type && !parts)
                fail_msg("$%s %s: neither type nor parts", op->name, p->name);
            if (p->type && !definition_type(slice_str(p->type)) && strcmp(p->type, "Resource") != 0 &&
                strcmp(p->type, "Element") != 0)
                fail_msg("$%s %s: %s is no type", op->name, p->name, p->type);
            if (p->search && strcmp(p->type, "string") != 0)
                fail_msg("$%s %s: only strings are written like searches", op->name, p->name);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_has_a_row),
        cmocka_unit_test(every_row_has_its_routes),
        cmocka_unit_test(get_changes_nothing),
        cmocka_unit_test(parameters_are_well_formed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
