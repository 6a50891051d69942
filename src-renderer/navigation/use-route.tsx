/** Where the window is, and how it goes elsewhere: the browser's own history, so that back and forward work. */
import { useCallback, useMemo } from 'react';
import type { AnchorHTMLAttributes, MouseEvent, ReactNode } from 'react';
import { navigate, usePathname, useSearch } from 'wouter/use-browser-location';
import type { Route } from './routes.ts';
import { pathOf, routeOf } from './routes.ts';

/** The place the window shows. */
export function useRoute(): Route {
  const path = usePathname();
  return useMemo(() => routeOf(path), [path]);
}

/** Goes to a place from anywhere; `isReplacing` leaves no step in the history. */
export function goTo(route: Route, options: { readonly isReplacing?: boolean } = {}): void {
  navigate(pathOf(route), { replace: options.isReplacing ?? false });
}

/** One parameter of the address's query, and a way to set it without a step in the history; '' removes it. */
export function useQueryParameter(name: string): readonly [string, (value: string) => void] {
  const search = useSearch();
  const value = useMemo(() => new URLSearchParams(search).get(name) ?? '', [search, name]);
  const set = useCallback(
    (next: string) => {
      const parameters = new URLSearchParams(window.location.search);
      if (next === '') parameters.delete(name);
      else parameters.set(name, next);
      const query = parameters.toString();
      navigate(`${window.location.pathname}${query === '' ? '' : `?${query}`}`, { replace: true });
    },
    [name],
  );
  return [value, set];
}

/** The query of the address, without its question mark. */
export function useQueryText(): string {
  return useSearch().replace(/^\?/, '');
}

/** Sets parameters of the address's query at once, without a step in the history; '' removes one. `path` changes the path too. */
export function changeQuery(changes: Readonly<Record<string, string>>, path: string = window.location.pathname): void {
  const parameters = new URLSearchParams(window.location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === '') parameters.delete(name);
    else parameters.set(name, value);
  }
  const query = parameters.toString();
  navigate(`${path}${query === '' ? '' : `?${query}`}`, { replace: true });
}

interface LinkProps extends AnchorHTMLAttributes<HTMLAnchorElement> {
  readonly to: Route;
  readonly children: ReactNode;
}

/** A link to a place of the window. With a modifier key the browser opens it as it does any link. */
export function Link({ to, children, onClick, ...rest }: LinkProps): ReactNode {
  const follow = (event: MouseEvent<HTMLAnchorElement>): void => {
    onClick?.(event);
    if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    goTo(to);
  };
  return (
    <a {...rest} href={pathOf(to)} onClick={follow}>
      {children}
    </a>
  );
}
