import type { Blobs } from './blobs.ts';
import { folderBlobs } from './folder.ts';

export interface BlobSettings {
  /** A folder, or `s3://bucket/prefix`. */
  artifactStore: string;
  s3Endpoint: string;
  s3Region: string;
  s3PathStyle: boolean;
  s3CaFile: string;
}

/** The blobs that the settings name. Nothing is opened before it is used, but the CA file, which may be missing. */
export async function openBlobs(settings: BlobSettings): Promise<Blobs> {
  const { artifactStore, s3Endpoint: endpoint, s3Region: region } = settings;
  const location = parseS3(artifactStore);
  if (!location) return folderBlobs(artifactStore);
  // The client of S3 takes long to load.
  const { s3Blobs } = await import('./s3.ts');
  return s3Blobs({
    ...location,
    endpoint,
    region,
    pathStyle: settings.s3PathStyle,
    caFile: settings.s3CaFile,
  });
}

/** `s3://bucket/some/where` -> bucket, and `some/where/`. Undefined for a folder. */
export function parseS3(store: string): { bucket: string; prefix: string } | undefined {
  const [, bucket, path = ''] = /^s3:\/\/([^/]+)(?:\/(.*))?$/.exec(store) ?? [];
  if (bucket === undefined) return undefined;
  const parts = path.split('/').filter((part) => part !== '');
  return { bucket, prefix: parts.map((part) => `${part}/`).join('') };
}
