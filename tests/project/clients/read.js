// Reads a sandbox with @intacct/intacct-sdk as it is published, and prints what it found.
//
//     node read.js SETTINGS_AS_JSON
//
// The client wants a host of intacct.com, so such a name is made to lead to this machine;
// nothing of the client is changed. It signs in anew for each call, as Sage's examples do.
"use strict";

const dns = require("dns");
const { OnlineClient, ClientConfig, Functions, SessionProvider } = require("@intacct/intacct-sdk");

const { Inspect, Lookup, Read, ReadByName, ReadByQuery, ReadMore, NewQuery } = Functions.Common;
const HOST = "sandbox.intacct.com";
const resolve = dns.lookup;
dns.lookup = (host, ...rest) => resolve(host === HOST ? "127.0.0.1" : host, ...rest);

const settings = JSON.parse(process.argv[2]);
const config = Object.assign(new ClientConfig(), {
  companyId: settings.company_id,
  userId: settings.user_id,
  userPassword: settings.user_password,
  senderId: settings.sender_id,
  senderPassword: settings.sender_password,
  endpointUrl: settings.api_url.replace("127.0.0.1", HOST),
});
const client = new OnlineClient(config);

async function ask(kind, values) {
  return (await client.execute(Object.assign(new kind(), values))).getResult();
}

async function readByQuery(objectName, pageSize) {
  let page = await ask(ReadByQuery, { objectName, pageSize, fields: ["RECORDNO"] });
  const rows = [...page.data];
  while (page.numRemaining > 0) {
    page = await ask(ReadMore, { resultId: page.resultId });
    rows.push(...page.data);
  }
  return rows.map((row) => row.RECORDNO);
}

async function query(fromObject, field, least, pageSize) {
  const rows = [];
  const { OrderBuilder } = NewQuery.QueryOrderBy;
  const { SelectBuilder } = NewQuery.QuerySelect;
  const { Filter } = NewQuery.QueryFilter;
  for (;;) {
    const page = await ask(NewQuery.Query, {
      fromObject,
      pageSize,
      offset: rows.length,
      selectFields: new SelectBuilder().addFields(["RECORDNO", field]).selects,
      filter: new Filter(field).greaterThan(least),
      orderBy: new OrderBuilder().addAscending("RECORDNO").orders,
    });
    rows.push(...page.data);
    if (rows.length >= page.totalCount) return rows.map((row) => row.RECORDNO);
  }
}

async function main() {
  const objects = await ask(Inspect, { objectName: "*" });
  const described = await ask(Lookup, { objectName: "VENDOR" });
  const read = await ask(Read, { objectName: "VENDOR", keys: [1, 2] });
  const named = await ask(ReadByName, { objectName: "VENDOR", names: ["V-0001"] });
  const session = await SessionProvider.factory(config);
  return {
    objects: objects.data.map((type) => type.$.typename),
    lookup: described.data[0].Fields.Field.map((field) => field.ID),
    readByQuery: await readByQuery("VENDOR", 15),
    query: await query("APBILL", "TOTALDUE", "1000", 20),
    read: read.data.map((row) => row.VENDORID),
    readByName: named.data.map((row) => row.NAME),
    session: session.endpointUrl,
  };
}

main().then(
  (found) => console.log(JSON.stringify(found)),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
