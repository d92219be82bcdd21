// SPDX-License-Identifier: Apache-2.0
//
// Search values against an oracle: every official search parameter over all R4 examples. What the program says a resource is
// found by (map --to facets) must be what the official expressions give, evaluated by the npm package fhirpath
// (tests/oracle/facets.mjs). Differences that are right are listed here with the reason; there are none at present.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { BINARY, CORPORA } from './region.mjs';
import { expected, isOf, printed, readParameters } from '../oracle/facets.mjs';

const PACKAGE = join(CORPORA, 'fhir/r4-schemas/hl7.fhir.r4.core/package');
const FOLDERS = ['fhir/r4-examples', 'fhir/ips-examples', 'japan/jp-core-examples'];

/** [resource type, parameter code]: why the program rightly gives something else. */
const JUSTIFIED = [];

const installed = () => {
  try { createRequire(import.meta.url).resolve('fhirpath'); return true; } catch { return false; }
};

/** File -> facets of its resource. Files that R4 itself would refuse have none. */
async function facetsOf(files) {
  const run = await promisify(execFile)(BINARY, ['map', ...files, '--to', 'facets'], { maxBuffer: 1 << 28 })
    .catch((failed) => failed); // some examples break R4: the exit code says so
  const out = new Map();
  let current;
  for (const line of run.stdout.split('\n').filter(Boolean).map((l) => JSON.parse(l))) {
    if (line.file) out.set(line.file, current = []);
    else current.push(line);
  }
  return out;
}

function compare(name, resource, facets, parameters, tally) {
  const by = Map.groupBy ? Map.groupBy(facets, (f) => f.param) : facets.reduce((m, f) => m.set(f.param, [...(m.get(f.param) ?? []), f]), new Map());
  for (const p of parameters.filter((q) => isOf(q, resource.resourceType))) {
    const want = expected(resource, p);
    const got = printed(by.get(p.code) ?? []);
    by.delete(p.code);
    tally.values += want.length;
    if (JSON.stringify(want) === JSON.stringify(got)) tally.agree++;
    else if (JUSTIFIED.some(([type, code]) => type === resource.resourceType && code === p.code)) tally.justified++;
    else tally.differ.push(`${name} ${p.code}: want ${JSON.stringify(want)}, got ${JSON.stringify(got)}`);
  }
  for (const code of by.keys()) tally.differ.push(`${name} ${code}: no such official parameter`);
}

for (const folder of FOLDERS) {
  const here = join(CORPORA, folder);
  const why = !existsSync(PACKAGE) ? `corpus ${PACKAGE} is not here` : !existsSync(here) ? `corpus ${here} is not here`
    : !installed() ? 'fhirpath is not installed' : false;
  test(`search values of ${folder} are those of the official expressions`, { skip: why }, async (t) => {
    const parameters = readParameters(PACKAGE);
    const files = readdirSync(here).filter((f) => f.endsWith('.json')).map((f) => join(here, f))
      .filter((f) => JSON.parse(readFileSync(f)).resourceType);
    const tally = { agree: 0, justified: 0, values: 0, refused: 0, differ: [] };
    const facets = await facetsOf(files);
    for (const file of files) {
      const resource = JSON.parse(readFileSync(file));
      const found = facets.get(file) ?? [];
      const none = found.length === 0 && parameters.some((p) => isOf(p, resource.resourceType) && expected(resource, p).length > 0);
      if (none) tally.refused++; // it breaks R4 itself, see fhir_corpus_test.c; else more than the few known ones would be
      else compare(file.slice(here.length + 1), resource, found, parameters, tally);
    }
    t.diagnostic(`${tally.agree} pairs of resource and parameter agree (${tally.values} values), ${tally.justified} rightly differ, `
      + `${tally.differ.length} differ; ${tally.refused} resources are refused`);
    assert.deepEqual(tally.differ.slice(0, 20), []);
    assert.ok(tally.agree > 1000);
    assert.ok(tally.refused <= 3, `${tally.refused} resources gave nothing`);
  });
}
