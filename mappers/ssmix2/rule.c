/* SPDX-License-Identifier: Apache-2.0
 *
 * The smaller tables of rule.h. Orders of segments: HL7 v2.5 with what SS-MIX2 and the JAHIS
 * conventions add (ZPR, ZPD and ZI1 of a diagnosis; ZE1, ZE2 and IPC of an examination), as the
 * National Hospital Organization's data testing tool has them. Where that is stricter than v2.5
 * by what looks like a slip (a NTE behind every OBX of a result), v2.5 is followed.
 */
#include "mappers/ssmix2/rule.h"

#include "base/banned.h"

#define HEAD "MSH SFT* "
#define EVENT HEAD "EVN PID PD1? "
#define VISIT "ROL* NK1* PV1 PV2? ROL* DB1* "
#define REST                                                                                       \
    "DRG? ( PR1 ROL* )* GT1* ( IN1 IN2? IN3* ROL* )* ACC? UB1? UB2? PDA?"
#define PERSON "PID PD1? NTE* NK1* "
#define INSURED "( IN1 IN2? IN3? )* GT1? AL1* "
#define TIMING "( TQ1 TQ2* )* "
#define RESULTS "( OBX TCD? SID* NTE* )* "

const struct rule_order rule_orders[] = {
    {"ADT^A01", EVENT VISIT "OBX* AL1* DG1* " REST},
    {"ADT^A02", EVENT "ROL* PV1 PV2? ROL* DB1* OBX* PDA?"},
    {"ADT^A03", EVENT VISIT "( OBX | AL1 | DG1 )* DRG? ( PR1 ROL* )* OBX* GT1* "
                            "( IN1 IN2? IN3* ROL* )* ACC? PDA?"},
    {"ADT^A04", EVENT VISIT "OBX* AL1* DG1* " REST},
    {"ADT^A08", EVENT VISIT "OBX* AL1* DG1* " REST},
    {"ADT^A11", EVENT "PV1 PV2? DB1* OBX* DG1*"},
    {"ADT^A12", EVENT "PV1 PV2? DB1* OBX* DG1*"},
    {"ADT^A13", EVENT VISIT "OBX* AL1* DG1* " REST},
    {"ADT^A14", EVENT VISIT "OBX* AL1* DG1* " REST},
    {"ADT^A15", EVENT "ROL* PV1 PV2? ROL* DB1* OBX* DG1*"},
    {"ADT^A16", EVENT VISIT "OBX* AL1* DG1* " REST},
    {"ADT^A21", EVENT "PV1 PV2? DB1* OBX*"},
    {"ADT^A22", EVENT "PV1 PV2? DB1* OBX*"},
    {"ADT^A23", EVENT "PV1 PV2? DB1* OBX*"},
    {"ADT^A25", EVENT "PV1 PV2? DB1* OBX*"},
    {"ADT^A26", EVENT "PV1 PV2? DB1* OBX*"},
    {"ADT^A27", EVENT "PV1 PV2? DB1* OBX*"},
    {"ADT^A52", EVENT "PV1 PV2?"},
    {"ADT^A53", EVENT "PV1 PV2?"},
    {"ADT^A54", EVENT "ROL* PV1 PV2? ROL*"},
    {"ADT^A55", EVENT "PV1 PV2?"},
    {"ADT^A60", HEAD "EVN PID PV1? PV2? IAM*"},
    {"PPR^ZD1", HEAD "PID ( PV1 PV2? )? ( PRB ZPR? ZPD* NTE* VAR* ( ROL VAR* )* ( PTH VAR* )* "
                     "ZI1* ( OBX NTE* )* ( GOL NTE* VAR* ( ROL VAR* )* ( OBX NTE* )* )* "
                     "( ORC ( OBR | RXO | RXE | RXA | ODS | NTE | VAR | OBX )* )* )+"},
    {"OMD^O03", HEAD "NTE* ( " PERSON "( PV1 PV2? )? " INSURED ")? "
                     "( ORC " TIMING "( ODS NTE* ( OBX NTE* )* )* )+ "
                     "( ORC " TIMING "ODT+ NTE* )*"},
    {"RDE^O11", HEAD "NTE* ( " PERSON "( PV1 PV2? )? " INSURED ")? "
                     "( ORC " TIMING "( RXO NTE* RXR+ ( RXC NTE* )* )? "
                     "RXE NTE* ( TQ1 TQ2* )+ RXR+ RXC* ( OBX NTE* )* FT1* BLG? CTI* )+"},
    {"RAS^O17", HEAD "NTE* ( PID PD1? NTE* AL1* ( PV1 PV2? )? )? "
                     "( ORC " TIMING "( RXO NTE* RXR+ ( RXC NTE* )* )? "
                     "( RXE " TIMING "RXR+ RXC* )? ( RXA+ RXR ( OBX NTE* )* )+ CTI* )+"},
    {"OML^O33", HEAD "NTE* ( " PERSON "( PV1 PV2? )? " INSURED ")? "
                     "( SPM OBX* SAC* ( ORC " TIMING "( OBR TCD? NTE* DG1* " RESULTS ")? "
                     "FT1* CTI* BLG? )+ )+"},
    {"OUL^R22", HEAD "NTE? ( PID PD1? NTE* )? ( PV1 PV2? )? "
                     "( SPM OBX* ( SAC INV? )* ( OBR ORC? NTE* " TIMING RESULTS "CTI* )+ )+ DSC?"},
    {"OMG^O19", HEAD "NTE* ( " PERSON "( PV1 PV2? )? " INSURED ")? "
                     "( ORC ( TQ1 TQ2* )+ OBR NTE* CTD? DG1* ( OBX NTE* )* "
                     "( SPM OBX* ( SAC OBX* )* )* FT1* CTI* BLG? )+"},
    {"OMI^Z23", HEAD "NTE* ( " PERSON "( PV1 PV2? )? " INSURED ")? "
                     "( ORC ( TQ1 TQ2* )+ OBR NTE* CTD? DG1* ( OBX NTE* )* "
                     "( ZE1 OBX* ZE2* )* IPC+ )+"},
    {"ORU^R01", HEAD "( ( " PERSON "( PV1 PV2? )? )? ( ORC? OBR NTE* " TIMING
                     "CTD? ( OBX NTE* )* FT1* CTI* ( SPM OBX* )* )+ )+ DSC?"},
    {"ORU^R30", HEAD "PID PD1? ( PV1 PV2? )? ORC OBR NTE* " TIMING "( OBX NTE* )+"},
    {NULL, NULL},
};

const struct rule_date rule_dates[] = {
    {"ADT^A53", "PV2-47"},
    {NULL, NULL},
};

uint32_t rule_bit(struct slice kind)
{
    for (unsigned i = 1; rule_kinds[i]; i++) {
        if (slice_is(kind, rule_kinds[i]))
            return UINT32_C(1) << i;
    }
    return 1;
}
