/**
 * Rules for node paths. Lengths and positions count UTF-16 code units, as the original's do; a path
 * that came as malformed UTF-8 holds U+FFFD and is therefore never valid.
 */

const SLASH = 0x2f;
const DOT = 0x2e;

/**
 * Full validation: absolute, no trailing slash but in `/` itself, no empty, `.` or `..` component, no
 * control character, surrogate, private-use character or one of U+FFF0 to U+FFFF. One pass, no
 * allocation. A null path is not valid.
 */
export function isValidPath(path: string | null): path is string {
  if (path === null || path.length === 0 || path.charCodeAt(0) !== SLASH) return false;
  if (path.length === 1) return true;
  if (path.charCodeAt(path.length - 1) === SLASH) return false;
  let componentStart = 1;
  for (let at = 1; at < path.length; at++) {
    const unit = path.charCodeAt(at);
    if (unit === SLASH) {
      if (!isValidComponent(path, componentStart, at)) return false;
      componentStart = at + 1;
    } else if (!isValidUnit(unit)) {
      return false;
    }
  }
  return isValidComponent(path, componentStart, path.length);
}

/**
 * The looser check with which create and delete begin: there is a `/` somewhere, so that the path has
 * a parent, and no NUL. What else is wrong with the path shows later, behind other errors.
 */
export function hasParentPath(path: string): boolean {
  return path.includes('/') && !path.includes('\0');
}

/** The text before the last `/`, or `/` when that is empty. The path must hold a `/`. */
export function parentPath(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash <= 0 ? '/' : path.slice(0, slash);
}

/** The text behind the last `/`: a node's name under its parent; empty for the root. */
export function nodeName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The path of a child; the root's children have one slash only. */
export function childPath(parent: string, name: string): string {
  return parent === '/' || parent === '' ? `/${name}` : `${parent}/${name}`;
}

function isValidUnit(unit: number): boolean {
  if (unit < 0x7f) return unit >= 0x20;
  if (unit <= 0x9f) return false;
  if (unit < 0xd800) return true;
  return unit > 0xf8ff && unit < 0xfff0;
}

/** Not empty, not `.` and not `..`. */
function isValidComponent(path: string, start: number, end: number): boolean {
  const length = end - start;
  if (length === 0) return false;
  if (length > 2 || path.charCodeAt(start) !== DOT) return true;
  return length === 2 && path.charCodeAt(start + 1) !== DOT;
}
