// What the benches say of their figures.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { atLeast, atMost, shownRows } from '../../bench/report.ts';
import { median, percentile, signed } from '../../bench/statistics.ts';

const tests = suite('the report of the benches');

tests('E4: the median of an even number of rounds is the mean of the middle two', () => {
  assert.is(median([4, 1]), 2.5);
  assert.is(median([3, 1, 2]), 2);
  assert.is(median([1, 2, 3, 10]), 2.5);
  assert.is(median([7]), 7);
  assert.is(percentile([0, 10, 20, 30, 40], 1), 40);
  assert.is(percentile([0, 10, 20, 30, 40], 0.25), 10);
  assert.is(percentile([1, Infinity, Infinity], 0.9), Infinity, 'and no NaN');
});

tests('E4: a difference has one sign', () => {
  assert.is(signed(-56.4), '-56');
  assert.is(signed(34.432, 2), '+34.43');
});

tests('a goal is met or missed at its bound, and absent without a peer', () => {
  assert.equal(atMost(2, 2, ' µs'), { goal: 'at most 2 µs', isMet: true });
  assert.equal(atLeast(0.84, 0.85, 'x'), { goal: 'at least 0.85x', isMet: false });
  assert.equal(atLeast(undefined, 0.85, 'x'), {});
});

tests('E4: a quick run compares nothing', () => {
  const rows = [{ figure: 'SET', value: '3 K/s', ratio: '2x', goal: '1x' }];
  assert.equal(shownRows(rows, true), [{ figure: 'SET', value: '3 K/s' }]);
  assert.is(shownRows(rows, false), rows);
});

tests.run();
