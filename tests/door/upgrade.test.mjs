// SPDX-License-Identifier: Apache-2.0
//
// A store whose search indexes are incomplete, as a step of the schema leaves it: a server does not start on it and says what to
// do; `migrate up` does it, beside no server; then everything is found. And `reindex` works while a server runs.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Region, sql, tasuki } from './region.mjs';

let region;
let total;
const found = async () => (await region.party('hospital-a').search('/Organization?name:contains=%E7%97%85%E9%99%A2')).total;
before(async () => {
  region = await Region.start({ empty: true, patients: 8 });
  total = await found();
  await region.stop({ keep: true });
});
after(async () => {
  await region?.stop({ keep: true });
  if (region) rmSync(region.dir, { recursive: true, force: true });
});

describe('incomplete search indexes', () => {
  test('a server does not start, and says what to do', async () => {
    assert.ok(total > 0);
    execFileSync('sqlite3', [join(region.dir, 'data/tasuki.db'), "INSERT INTO meta VALUES('reindex', 1); UPDATE record SET facets = x''; DELETE FROM ix_string;"]);
    const refused = tasuki('serve', '--dir', region.dir);
    assert.equal(refused.code, 1);
    assert.match(refused.err, /tasuki migrate up/);
    assert.match(refused.err, /検索索引/);
  });

  test('migrate up makes them; then everything is found', async () => {
    const up = tasuki('migrate', 'up', '--dir', region.dir);
    assert.equal(up.code, 0, up.err);
    assert.match(up.out, /\d+ records\nschema \d+\n$/);
    assert.equal(tasuki('migrate', 'up', '--dir', region.dir).out.replace(/\d/g, 'N'), 'schema N\n');
    const dir = region.dir;
    region = await Region.start({ dir });
    assert.equal(await found(), total);
  });

  test('reindex works beside a server', async () => {
    const again = tasuki('reindex', '--dir', region.dir);
    assert.equal(again.code, 0, again.err);
    assert.equal(await found(), total);
    assert.equal(sql(region, "SELECT count(*) AS n FROM meta WHERE key = 'reindex'")[0].n, 0);
    assert.ok(sql(region, "SELECT count(*) AS n FROM audit WHERE event = 'reindex' AND outcome = 0")[0].n >= 2);
  });
});
