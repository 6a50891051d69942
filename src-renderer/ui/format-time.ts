/** Times as people read them. All take milliseconds since the epoch or a number of milliseconds. */

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const full = new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeStyle: 'medium' });
const moment = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
});
const day = new Intl.DateTimeFormat('en-GB', { weekday: 'long', day: 'numeric', month: 'long' });

/** "14:02:11". */
export function clockTime(at: number): string {
  return clock.format(at);
}

/** Day, date and time, for a tooltip. */
export function fullTime(at: number): string {
  return full.format(at);
}

/** "Saturday 21 November", with "Today, " before it on the day of `now`. */
export function dayName(at: number, now: number): string {
  const name = day.format(at).replace(',', '');
  return new Date(at).toDateString() === new Date(now).toDateString() ? `Today, ${name}` : name;
}

/** The two largest units of a duration: "8s", "3m 20s", "2h 14m", "3d 4h". */
export function shortDuration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const [minutes, hours, days] = [Math.floor(seconds / 60), Math.floor(seconds / 3_600), Math.floor(seconds / 86_400)];
  if (days > 0) return `${days}d ${hours % 24}h`;
  if (hours > 0) return `${hours}h ${minutes % 60}m`;
  if (minutes > 0) return `${minutes}m ${seconds % 60}s`;
  return `${seconds}s`;
}

const date = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });

/** How long before `now` something was, in its largest unit: "now", "12 s ago", "5 min ago", "3 h ago", "2 d ago", "4 Nov". */
export function agoText(at: number, now: number): string {
  const seconds = Math.floor((now - at) / 1_000);
  if (seconds < 5) return 'now';
  if (seconds < 60) return `${seconds} s ago`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ago`;
  const days = Math.floor(hours / 24);
  return days < 8 ? `${days} d ago` : date.format(at);
}

/** "22 Nov 2026, 14:02": a day and a time of day, in one line of a list. */
export function momentText(at: number): string {
  return moment.format(at);
}
