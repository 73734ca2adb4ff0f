// npm oauth4webapi, which is strict about every answer: machine, code, refresh, PAR, DPoP, introspection as JWT,
// device flow. Reads {issuer, portal, machine, device, person} from its argument, prints what it saw as JSON.
import * as oauth from 'oauth4webapi';
import { Browser } from './browser.mjs';

const told = JSON.parse(process.argv[2]);
const seen = {};
const open = { [oauth.allowInsecureRequests]: true };
const issuer = new URL(told.issuer);

const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, open));
const server2 = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...open, algorithm: 'oauth2' }));
seen.both_metadata = server.token_endpoint === server2.token_endpoint;

const machine = { client_id: told.machine.client_id };
const machineAuth = oauth.ClientSecretBasic(told.machine.client_secret);
const own = await oauth.processClientCredentialsResponse(server, machine, await oauth.clientCredentialsGrantRequest(server, machine, machineAuth, { scope: told.machine.scope }, open));
seen.machine = own.token_type;
const plain = await oauth.processIntrospectionResponse(server, machine, await oauth.introspectionRequest(server, machine, machineAuth, own.access_token, open));
seen.introspected = plain.active;
const signed = await oauth.introspectionRequest(server, { ...machine, introspection_signed_response_alg: 'ES256' }, machineAuth, own.access_token, { ...open, requestJwtResponse: true });
seen.introspected_signed = (await oauth.processIntrospectionResponse(server, { ...machine, introspection_signed_response_alg: 'ES256' }, signed)).active;
await oauth.processRevocationResponse(await oauth.revocationRequest(server, machine, machineAuth, own.access_token, open));
seen.after_revocation = (await oauth.processIntrospectionResponse(server, machine, await oauth.introspectionRequest(server, machine, machineAuth, own.access_token, open))).active;

const portal = { client_id: told.portal.client_id, id_token_signed_response_alg: 'ES256' };
const portalAuth = oauth.ClientSecretPost(told.portal.client_secret);
const browser = new Browser(told.person);
const verifier = oauth.generateRandomCodeVerifier();
const nonce = oauth.generateRandomNonce();
const state = oauth.generateRandomState();
const asked = new URLSearchParams({
  client_id: portal.client_id,
  redirect_uri: told.portal.redirect_uri,
  response_type: 'code',
  scope: 'openid profile offline_access',
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
  nonce,
  state,
});
const DPoP = oauth.DPoP(portal, await oauth.generateKeyPair('ES256'));
const pushed = await oauth.processPushedAuthorizationResponse(server, portal, await oauth.pushedAuthorizationRequest(server, portal, portalAuth, asked, { ...open, DPoP }));
const url = new URL(server.authorization_endpoint);
url.search = new URLSearchParams({ client_id: portal.client_id, request_uri: pushed.request_uri });
const back = oauth.validateAuthResponse(server, portal, await browser.visit(url, told.portal.redirect_uri), state);
const granted = await oauth.processAuthorizationCodeResponse(
  server, portal,
  await oauth.authorizationCodeGrantRequest(server, portal, portalAuth, back, told.portal.redirect_uri, verifier, { ...open, DPoP }),
  { expectedNonce: nonce, requireIdToken: true },
);
seen.code = granted.token_type;
const claims = oauth.getValidatedIdTokenClaims(granted);
const userinfo = await oauth.processUserInfoResponse(server, portal, claims.sub, await oauth.userInfoRequest(server, portal, granted.access_token, { ...open, DPoP }));
seen.name = userinfo.name;
const fresh = await oauth.processRefreshTokenResponse(server, portal, await oauth.refreshTokenGrantRequest(server, portal, portalAuth, granted.refresh_token, { ...open, DPoP }));
seen.refreshed = fresh.token_type;

const tv = { client_id: told.device.client_id };
const waiting = await oauth.processDeviceAuthorizationResponse(server, tv, await oauth.deviceAuthorizationRequest(server, tv, oauth.None(), { scope: 'openid profile' }, open));
seen.device = Object.keys(waiting).sort();
try {
  await oauth.processDeviceCodeResponse(server, tv, await oauth.deviceCodeGrantRequest(server, tv, oauth.None(), waiting.device_code, open));
} catch (error) {
  seen.device_pending = error.error;
}
console.log(JSON.stringify(seen));
