import type { PackageList } from '../result/packages.ts';
import type { RuntimeList } from '../result/session.ts';

/** A caller's artifact. Undefined where there is none of this id, and where it is another caller's. */
export type ReadArtifact = (
  id: string,
  caller: string,
  signal: AbortSignal,
) => Promise<FoundArtifact | undefined>;

export interface FoundArtifact {
  artifact: { name: string; mime_type: string; size: number };
  /** All of it. Rejects where it cannot be read. */
  bytes(): Promise<Buffer>;
}

/** What programs can import: with requirements, in their environment, which is built where there is none. Throws ServiceError. */
export type ListPackages = (
  requirements: string[],
  options: { signal: AbortSignal; onProgress: (line: string) => void },
) => Promise<PackageList>;

/** Languages that code may be written in. Throws ServiceError. */
export type ListRuntimes = (options: {
  signal: AbortSignal;
  onProgress: (line: string) => void;
}) => Promise<RuntimeList>;

/** What MCP serves beside runs. */
export interface Offers {
  readArtifact: ReadArtifact;
  /** Where else callers get an artifact: a URL, or a path on their machine. Null where they cannot. */
  locate(id: string): string | null;
  listPackages: ListPackages;
  listRuntimes: ListRuntimes;
  /** Whether requests may require packages. */
  hasEnvironments: boolean;
}
