// Who asks: the claims of a verified bearer token, and the rows that whoever they speak for may see.
import { createVerifier } from "fast-jwt";

const verify = createVerifier({
  key: process.env.AUTH_HS256_KEY,
  algorithms: ["HS256"],
  allowedIss: process.env.AUTH_ISSUER,
  allowedAud: process.env.AUTH_AUDIENCE,
  requiredClaims: ["exp", "sub"],
  // As Traverse does: a token that was believed is believed again until it ends.
  cache: true,
});

/** The claims of the token in an Authorization header. Throws for anything else. */
export function claimsOf(authorization) {
  if (!authorization?.startsWith("Bearer ")) {
    throw new Error("Authorization: a bearer token is expected");
  }
  return verify(authorization.slice("Bearer ".length));
}
