#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes mappers/ssmix2/rule_table.c.

Input: a table of the fields of the segments that SS-MIX2 uses, tab separated, with the columns field, English name,
Japanese name, data type, length and one column per kind of data (first "*": all others) that says R, RE, C, O or N.
The facts come from the field definitions of the National Hospital Organization's data testing tool (Apache-2.0,
specification 1.2c). Usage: fields.py TABLE; run from the root of the repository.
"""
import sys

KINDS = '* PPR-01 OMD OMP-01 OMP-11 OMP-02 OMP-12 OML-01 OML-11 OMG-01 OMG-02 OMG-03 OMG-11 OMG-12 OMG-13'.split()


# Components that hold numbers, by data type: bit n is component n + 1 (HL7 v2.5 chapter 2.A).
NUMERIC = {'NM': 0x1, 'CQ': 0x1, 'MO': 0x1, 'CP': 0x0c, 'XON': 0x0c, 'XTN': 0xf0, 'RPT': 0x11c}


def rows(path):
    with open(path, encoding='utf-8') as file:
        lines = [line.rstrip('\n').split('\t') for line in file if not line.startswith('#')]
    head, body = lines[0], lines[1:]
    assert head[5:] == KINDS, head
    for row in body:
        segment, number = row[0].split('-')
        yield segment, int(number), row[3], row[5:]


HEAD = '''/* SPDX-License-Identifier: Apache-2.0
 *
 * Fields that the SS-MIX2 standard storage requires (bit n of the mask is the n-th of rule_kinds[],
 * bit 0 all kinds of data that are not named there), those that hold numbers, and how many fields
 * each segment has. Written by mappers/ssmix2/gen/fields.py; see there for the source.
 */
#include "mappers/ssmix2/rule.h"

#include "base/banned.h"

const char *const rule_kinds[] = {
'''


def write(table, out):
    out.write(HEAD + '    ' + ', '.join(f'"{k}"' for k in KINDS[:8]) + ',\n    ')
    out.write(', '.join(f'"{k}"' for k in KINDS[8:]) + ', NULL,\n};\n\n/* clang-format off */\n')
    out.write('const struct rule_required rule_required[] = {\n')
    for segment, number, _, uses in table:
        mask = sum(1 << i for i, use in enumerate(uses) if use == 'R')
        if mask:
            out.write(f'    {{"{segment}", {number}, 0x{mask:04x}}},\n')
    out.write('    {NULL, 0, 0},\n};\n\nconst struct rule_numeric rule_numeric[] = {\n')
    for segment, number, kind, _ in table:
        if kind in NUMERIC:
            out.write(f'    {{"{segment}", {number}, 0x{NUMERIC[kind]:x}, {str(kind == "NM").lower()}}},\n')
    out.write('    {NULL, 0, 0, false},\n};\n\nconst struct rule_segment rule_segments[] = {\n')
    for segment in sorted({row[0] for row in table}):
        out.write(f'    {{"{segment}", {max(row[1] for row in table if row[0] == segment)}}},\n')
    out.write('    {NULL, 0},\n};\n/* clang-format on */\n')


if __name__ == '__main__':
    with open('mappers/ssmix2/rule_table.c', 'w', encoding='utf-8') as file:
        write(sorted(rows(sys.argv[1])), file)
