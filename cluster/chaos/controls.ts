import type { LinkChoice } from './deploy.ts';
export async function controls(_links: LinkChoice): Promise<boolean> {
  return true;
}
