// SPDX-License-Identifier: Apache-2.0
//
// Standard storages as tests make and compare them: files put under the names the standard gives them, trees listed, and what a
// region holds of a facility, as resources without what is a region's own (ids, versions), so that two regions can be compared.
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { until } from './region.mjs';

/** The files of a tree, sorted; hidden ones and the index are not part of it. */
export const files = (root) => readdirSync(root, { recursive: true, withFileTypes: true })
  .filter((e) => e.isFile() && !e.name.startsWith('.') && !e.name.startsWith('SSMIXIDX'))
  .map((e) => join(e.parentPath ?? e.path, e.name).slice(root.length + 1)).sort();

/** Puts TEXT where patient, kind, date, order number, time of sending and flag say; the path below ROOT. */
export function put(root, { patient, kind, date, order = '999999999999999', sent, flag = 1, department = '-' }, text) {
  const path = join(`${patient.slice(0, 3)}/${patient.slice(3, 6)}/${patient}/${date}/${kind}`, `${patient}_${date}_${kind}_${order}_${sent}_${department}_${flag}`);
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
  return path;
}

/** All that a facility brought itself: type -> resources. */
export async function holdings(party) {
  const began = await party.get('/$export', { Prefer: 'respond-async' });
  assert.equal(began.status, 202, began.text);
  const answer = await until(async () => {
    const got = await party.get(began.headers['content-location']);
    return got.status === 202 ? null : got;
  }, { what: 'the export' });
  assert.equal(answer.status, 200, answer.text);
  const found = {};
  for (const file of answer.json.output) {
    const lines = (await party.get(file.url, { Accept: 'application/fhir+ndjson' })).text.split('\n').filter(Boolean);
    found[file.type] = [...(found[file.type] ?? []), ...lines.map((line) => JSON.parse(line))];
  }
  return found;
}

/** A resource without what is its region's own: id, version, and whom references name (their type stays). */
export function plain(value, key = '') {
  if (Array.isArray(value)) return value.map((item) => plain(item, key));
  if (value === null || typeof value !== 'object') return key === 'reference' && typeof value === 'string' && !value.startsWith('#') ? value.split('/')[0] : value;
  const out = {};
  for (const name of Object.keys(value).sort()) {
    if ((name === 'id' && value.resourceType && key !== 'contained') || (key === 'meta' && (name === 'versionId' || name === 'lastUpdated' || name === 'source'))) continue;
    out[name] = plain(value[name], name);
  }
  return out;
}
