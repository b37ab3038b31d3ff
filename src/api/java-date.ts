/**
 * `Sat Nov 21 01:36:09 UTC 2026`, the date format of Java that `dump` prints. Computed by hand, in
 * UTC: this folder has no clock and no calendar of the platform's.
 */

const MS_PER_DAY = 86_400_000;
const WEEKDAYS = ['Thu', 'Fri', 'Sat', 'Sun', 'Mon', 'Tue', 'Wed'] as const;
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
/** Days from 1 March of year 0 to 1 January 1970, with leap days at the end of such years. */
const EPOCH_DAYS = 719_468;
const DAYS_PER_ERA = 146_097;

/** `timeMs`: milliseconds since 1970, not negative. */
export function javaDate(timeMs: number): string {
  const days = Math.floor(timeMs / MS_PER_DAY);
  const second = Math.floor((timeMs - days * MS_PER_DAY) / 1000);
  const clock = [Math.floor(second / 3600), Math.floor(second / 60) % 60, second % 60]
    .map(twoDigits)
    .join(':');
  const { year, month, day } = civilDate(days);
  const weekday = WEEKDAYS[days % 7] ?? '';
  return `${weekday} ${MONTHS[month] ?? ''} ${twoDigits(day)} ${clock} UTC ${year}`;
}

/** Year, month from 0, and day of a count of days since 1970, by eras of 400 years that start in March. */
function civilDate(days: number): { year: number; month: number; day: number } {
  const shifted = days + EPOCH_DAYS;
  const era = Math.floor(shifted / DAYS_PER_ERA);
  const dayOfEra = shifted - era * DAYS_PER_ERA;
  const leapDays =
    Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leapDays) / 365);
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = (monthFromMarch + 2) % 12;
  return { year: era * 400 + yearOfEra + (month < 2 ? 1 : 0), month, day };
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
