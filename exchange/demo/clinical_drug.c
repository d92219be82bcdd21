/* SPDX-License-Identifier: Apache-2.0
 *
 * Drugs: RDE^O11 (prescription, OMP-01), RAS^O17 (infusion given, OMP-12), and what the pharmacy
 * handed out as FHIR MedicationDispense. Prescriptions follow the illness, one group (RP) per drug.
 */
#include <stdio.h>

#include "exchange/demo/clinical_parts.h"

#include "base/banned.h"

/* Drugs of this visit; the latest ones only after the disease is known to need them. */
static bool wanted(const struct drug_row *drug, const struct visit *visit)
{
    return (visit->ill & (unsigned)drug->ill) != 0;
}

static void put_drug(struct clinical *c, const struct drug_row *drug, const struct visit *visit,
                     const char *order, unsigned n)
{
    struct message *m = &c->message;
    struct stamp day = message_stamp(visit->at_ms);
    char filler[24];
    double total = 0;

    (void)sscanf(drug->per_day, "%lf", &total);
    total *= drug->days;
    (void)snprintf(filler, sizeof(filler), "%s_%02u_001", order, n % 100u);
    clinical_order_segment(c, "NW", order, filler, visit);
    message_segment(m, "RXE");
    message_field(m, 2, "%s^%s^%s", drug->code, drug->name, drug->system);
    message_field(m, 3, "%s", drug->dose);
    message_field(m, 5, "%s^%s^MR9P", drug->unit, drug->unit_name);
    message_field(m, 6, "TAB^錠剤^MR9P");
    message_field(m, 10, "%g", total);
    message_field(m, 11, "%s^%s^MR9P", drug->unit, drug->unit_name);
    message_field(m, 15, "%.8s%s", day.text, order + 10);
    message_field(m, 19, "%s^%s&%s&MR9P", drug->per_day, drug->unit, drug->unit_name);
    message_field(m, 21, "OHP^外来処方^MR9P~OHO^院外処方^MR9P");
    message_segment(m, "TQ1");
    message_field(m, 1, "1");
    message_field(m, 3, "%s&%s&JAMISDP01", drug->usage, drug->usage_name);
    message_field(m, 6, "%d^d", drug->days);
    message_field(m, 7, "%.8s", day.text);
    message_segment(m, "RXR");
    message_field(m, 1, "%s^%s^HL70162", drug->route, drug->route_name);
}

static void hand_out(struct clinical *c, const struct drug_row *drug, int64_t at_ms)
{
    struct stamp s = message_stamp(at_ms);
    double total = 0;

    (void)sscanf(drug->per_day, "%lf", &total);
    clinical_json(
        c, DEMO_PHARMACY_P,
        "{'resourceType':'MedicationDispense','status':'completed','medicationCodeableConcept':"
        "{'coding':[{'system':'%s','code':'%s','display':'%s'}],'text':'%s'},"
        "'subject':{'identifier':{'system':'urn:tasuki:clinic-card','value':'%s'}},"
        "'quantity':{'value':%g,'unit':'%s'},'daysSupply':{'value':%d,'unit':'日',"
        "'system':'http://unitsofmeasure.org','code':'d'},"
        "'whenHandedOver':'%.4s-%.2s-%.2sT%.2s:%.2s:00+09:00','dosageInstruction':[{'text':'%s'}]}",
        strcmp(drug->system, "HOT9") == 0 ? "http://medis.or.jp/CodeSystem/master-HOT9"
                                          : "urn:tasuki:demo:drug",
        drug->code, drug->name, drug->name, c->person->card, total * drug->days, drug->unit_name,
        drug->days, s.text, s.text + 4, s.text + 6, s.text + 8, s.text + 10, drug->usage_name);
}

void drug_emit(struct clinical *c, const struct visit *visit)
{
    bool dispensed = c->person->local[DEMO_PHARMACY_P][0] && visit->course >= 1.0;
    char order[16];
    unsigned n = 0;

    for (size_t i = 0; i < drug_count; i++) {
        if (!wanted(&drug_table[i], visit))
            continue;
        if (n++ == 0) {
            clinical_order(c, order);
            clinical_start(c, visit->facility, "RDE^O11^RDE_O11", visit->at_ms + 30 * MINUTE_MS);
            message_patient(&c->message, c->person, visit->facility, false, visit->at_ms);
            clinical_visit_segment(c, visit, false);
        }
        put_drug(c, &drug_table[i], visit, order, n);
    }
    if (n > 0)
        clinical_send(c, visit->facility);
    for (size_t i = 0; dispensed && i < drug_count; i++)
        if (wanted(&drug_table[i], visit))
            hand_out(c, &drug_table[i], visit->at_ms + 95 * MINUTE_MS);
}

void drug_emit_infusion(struct clinical *c, enum demo_facility facility, int64_t at_ms)
{
    struct visit visit = {.facility = facility, .at_ms = at_ms};
    struct message *m = &c->message;
    char order[16];

    clinical_order(c, order);
    clinical_start(c, facility, "RAS^O17^RAS_O17", at_ms + 5 * HOUR_MS);
    message_patient(m, c->person, facility, false, at_ms);
    clinical_visit_segment(c, &visit, true);
    clinical_order_segment(c, "NW", order, "", &visit);
    message_segment(m, "RXA");
    message_field(m, 1, "0");
    message_field(m, 2, "1");
    message_field(m, 3, "%s", message_stamp(at_ms).text);
    message_field(m, 4, "%s", message_stamp(at_ms + 5 * HOUR_MS).text);
    message_field(m, 5, "107750603^ソリタ−Ｔ３号輸液５００ｍＬ^HOT9");
    message_field(m, 6, "1");
    message_field(m, 7, "HON^本^MR9P");
    message_field(m, 20, "CP");
    message_field(m, 22, "%s", message_stamp(at_ms + 5 * HOUR_MS).text);
    message_segment(m, "RXR");
    message_field(m, 1, "IV^静脈内^HL70162");
    clinical_send(c, facility);
}
