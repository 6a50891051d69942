import { describe, expect, it } from 'vitest';
import { AppError } from '#shared/kernel/errors.ts';
import { engineFault, isAway, statusOf } from './engine-faults.ts';

const answered = (statusCode: number, message: string): Error =>
  Object.assign(new Error(`(HTTP code ${statusCode}) server error - ${message} `), {
    statusCode,
    reason: 'x',
    json: { message },
  });

describe('faults of an engine', () => {
  it('are told in its own words', () => {
    expect(statusOf(answered(409, 'no'))).toBe(409);
    expect(statusOf(new Error('no'))).toBeUndefined();
    expect(engineFault('It cannot be', answered(500, 'because')).message).toBe('It cannot be: because');
    const own = new AppError('NOT_FOUND', 'mine');
    expect(engineFault('It cannot be', own)).toBe(own);
  });

  it('say that nobody answers, and that a disk is full', () => {
    const away = Object.assign(new Error('connect ENOENT /x'), { code: 'ENOENT' });
    expect(isAway(away)).toBe(true);
    expect(isAway(answered(500, 'socket hang up'))).toBe(false);
    expect(engineFault('It cannot be', away)).toMatchObject({ code: 'UNAVAILABLE', data: { cause: 'engine' } });
    const full = engineFault('It cannot be', answered(500, 'write x: no space left on device'));
    expect(full).toMatchObject({ code: 'UNAVAILABLE', retryable: true, data: { cause: 'disk' } });
    const told = new AppError('UNAVAILABLE', 'cp: no space left on device');
    expect(engineFault('It cannot be', told).message).toMatch(/disk of the container engine is full/);
  });
});
