import ownPackage from '../package.json' with { type: 'json' };

/** The version of this build of Jetbridge; all packages share one. */
export const JETBRIDGE_VERSION: string = ownPackage.version;
