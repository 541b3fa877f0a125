// The reference of the API as static HTML, from the OpenAPI document. It knows of OpenAPI what
// www/openapi.json uses; how the page looks is www/src/styles/reference.css's business.

const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const escape = (text) => String(text).replace(/[&<>"']/g, (character) => ESCAPES[character]);
/** Text in which `backticks` mark code. */
const prose = (text = "") => escape(text).replace(/`([^`]+)`/g, "<code>$1</code>");
const paragraphs = (text = "") => text.split("\n\n").filter(Boolean).map((part) => `<p>${prose(part)}</p>`).join("");
const code = (value) => `<code>${escape(value)}</code>`;
const slug = (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, "-");

const METHODS = ["get", "post", "delete"];
/** How the examples write what the reader has to fill in. */
const CREDENTIALS = { apiKey: "$API_KEY", grantToken: "$GRANT_TOKEN", adminKey: "$ADMIN_API_KEY" };
const FORM = "application/x-www-form-urlencoded";
/** Headers that only some answers have; the others are told once. */
const OWN_HEADERS = ["Allow", "WWW-Authenticate", "Retry-After", "ETag"];

/** Renders what goes between <body> and </body>. @param {object} contract an OpenAPI 3.1 document */
export function renderReference(contract) {
  const page = new Page(contract);
  return `${page.contents()}\n<main id="main" tabindex="-1">${page.introduction()}${page.calls()}${page.errors()}${page.headers()}</main>`;
}

class Page {
  constructor(contract) {
    this.contract = contract;
    this.operations = Object.entries(contract.paths).flatMap(([path, item]) =>
      METHODS.filter((method) => item[method]).map((method) => ({ path, method, item, ...item[method] })),
    );
  }

  /** A part of the document with its `$ref` followed; what stands beside it wins. */
  resolve(part) {
    if (!part?.$ref) return part;
    const { $ref, ...beside } = part;
    const target = $ref.slice(2).split("/").reduce((value, name) => value[name.replaceAll("~1", "/")], this.contract);
    return { ...this.resolve(target), ...beside };
  }

  of(tag) {
    return this.operations.filter(({ tags }) => tags.includes(tag));
  }

  // -------------------------------------------------------------------------------------------
  // Sections

  contents() {
    const link = ({ operationId, method, summary }) => `<li><a href="#${operationId}">${badge(method)}<span>${escape(summary)}</span></a></li>`;
    const tags = this.contract.tags.map(({ name }) => `<li><a class="contents-tag" href="#${slug(name)}">${escape(name)}</a><ul>${this.of(name).map(link).join("")}</ul></li>`);
    const plain = (id, title) => `<li><a class="contents-tag" href="#${id}">${title}</a></li>`;
    return `<nav aria-label="Contents"><a class="brand" href="/"><img src="/favicon.svg" alt="" width="28" height="28">${escape(this.contract.info.title)}</a><ul>${plain("introduction", "Introduction")}${plain("authorization", "Authorization")}${tags.join("")}${plain("errors", "Errors")}${plain("headers", "Headers")}</ul></nav>`;
  }

  introduction() {
    const { info, components } = this.contract;
    const schemes = Object.entries(components.securitySchemes).map(
      ([name, { description }]) => `<dt id="auth-${name}">${code(name)}</dt><dd>${prose(description)}</dd>`,
    );
    return `<section id="introduction"><h1>${escape(info.title)} API</h1><p class="lead">${escape(info.summary)} Version ${escape(info.version)}.</p>
<p class="download"><a href="/openapi.json">openapi.json</a> has all of this for machines, as OpenAPI ${escape(this.contract.openapi)}.</p>${paragraphs(info.description)}</section>
<section id="authorization"><h2>Authorization</h2><p>Each call says which of these it takes.</p><dl class="terms">${schemes.join("")}</dl></section>`;
  }

  calls() {
    return this.contract.tags
      .map(({ name, description }) => `<section id="${slug(name)}"><h2>${escape(name)}</h2><p>${prose(description)}</p>${this.of(name).map((operation) => this.call(operation)).join("")}</section>`)
      .join("\n");
  }

  errors() {
    const rows = Object.entries(this.contract.components.responses).map(([name, answer]) => {
      const { example } = answer.content["application/json"];
      const { code: kind = example.error, message = example.error_description } = example;
      const used = this.operations.flatMap(({ responses }) => Object.entries(responses)).find(([, { $ref }]) => $ref?.endsWith(`/${name}`));
      return `<tr id="error-${name}"><th scope="row">${code(used[0])}<br>${code(kind)}</th><td><p>${prose(answer.description)}</p><p class="message">${escape(message)}</p></td></tr>`;
    });
    const { Error: usual, OauthError: oauth } = this.contract.components.schemas;
    return `<section id="errors"><h2>Errors</h2>${this.forms({ anyOf: [usual, oauth] })}
${table("errors-table", ["Status and code", "When, and an example of its message"], rows)}</section>`;
  }

  headers() {
    const rows = Object.entries(this.contract.components.headers).map(([name, { description, required, schema }]) => {
      const value = this.resolve(schema);
      return `<tr><th scope="row">${code(name.replace(/^(Page|Grant)-/, ""))}</th><td><p>${prose(description)}</p>${required ? "" : "<p>Not on every answer.</p>"}${value.const ? `<p>${code(value.const)}</p>` : ""}</td></tr>`;
    });
    return `<section id="headers"><h2>Headers of the answers</h2>${table("headers-table", ["Header", "What it says"], rows)}</section>`;
  }

  // -------------------------------------------------------------------------------------------
  // One call

  call(operation) {
    const { operationId, method, path, item, summary, description, security, requestBody, responses } = operation;
    const schemes = security.flatMap((one) => Object.keys(one));
    const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])].map((parameter) => this.resolve(parameter));
    const [[type, body] = []] = requestBody ? Object.entries(requestBody.content) : [];
    const answers = Object.entries(responses).filter(([status]) => status < 400 || !responses[status].$ref);
    return `<article id="${operationId}" aria-labelledby="${operationId}-title"><div class="call-text">
<h3 id="${operationId}-title"><a href="#${operationId}">${escape(summary)}</a></h3>
<p class="call-line">${badge(method)}${code(path)}</p>${paragraphs(description)}
<p class="call-auth">Authorization: ${schemes.map((scheme) => `<a href="#auth-${scheme}">${code(scheme)}</a>`).join(" or ") || "none"}.${item.head && method === "get" ? ` ${code("HEAD")} asks for the same, without the body.` : ""}</p>
${parameters.length > 0 ? `<h4>Parameters</h4>${this.parameters(parameters)}` : ""}
${body ? `<h4>Body</h4><p>${type === FORM ? "A form. " : ""}${prose(requestBody.description)}</p>${this.fields(this.resolve(body.schema))}` : ""}
<h4>Answers</h4>${answers.map(([status, answer]) => this.answer(status, answer)).join("")}
${this.refusals(responses)}</div>
<div class="call-examples">${this.request(operation, schemes[0], parameters, type, body)}${answers.map(([status, answer]) => this.example(summary, status, answer)).join("")}</div></article>`;
  }

  parameters(parameters) {
    const rows = parameters.map(({ name, in: place, required, description, schema }) => this.row(name, this.resolve(schema), { required, place, description }));
    return table("fields", ["Name", "What it is"], rows);
  }

  answer(status, { description, headers, content }) {
    const own = Object.keys(headers).filter((name) => OWN_HEADERS.includes(name));
    const schema = content && this.resolve(content["application/json"].schema);
    return `<p class="answer"><span class="status">${status}</span> ${prose(description)}${own.map((name) => ` With ${code(name)}.`).join("")}</p>${schema ? this.forms(schema) : ""}`;
  }

  refusals(responses) {
    const links = Object.entries(responses).filter(([, { $ref }]) => $ref).map(([status, { $ref }]) => {
      const name = $ref.split("/").at(-1);
      return `<li><a href="#error-${name}"><span class="status">${status}</span> ${escape(name.replace(/\B[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`))}</a></li>`;
    });
    return links.length > 0 ? `<ul class="refusals" aria-label="Errors">${links.join("")}</ul>` : "";
  }

  // -------------------------------------------------------------------------------------------
  // Fields and what may be in them

  /** The fields of an answer, of each form that it may have. */
  forms(schema) {
    if (!schema.anyOf) return this.fields(schema, { answer: true });
    return schema.anyOf.map((part) => this.resolve(part)).map((form) => `${form.description ? `<p class="answer">${prose(form.description)}</p>` : ""}${this.fields(form, { answer: true })}`).join("");
  }

  fields(schema, { answer = false } = {}) {
    return table("fields", ["Name", "What it is"], this.rows(schema, "", answer));
  }

  rows(schema, prefix, answer) {
    return Object.entries(schema.properties ?? {}).flatMap(([name, given]) => {
      const field = this.resolve(given);
      const required = schema.required?.includes(name);
      const inner = field.type === "array" ? this.resolve(field.items) : field;
      const below = inner.properties ? this.rows(inner, `${prefix}${name}${field.type === "array" ? "[]" : ""}.`, answer) : [];
      return [this.row(`${prefix}${name}`, field, { required: answer ? undefined : required, optional: answer && !required }), ...below];
    });
  }

  row(name, schema, { required, optional, place, description = schema.description }) {
    const marks = [place && `in the ${place}`, required && "required", optional && "perhaps absent"].filter(Boolean).map((mark) => `<span class="mark mark-${slug(mark)}">${mark}</span>`);
    return `<tr><th scope="row">${code(name)}</th><td><p class="kind">${[this.kind(schema), ...marks].join(" ")}</p>${description ? `<p>${prose(description)}</p>` : ""}${this.bounds(schema)}</td></tr>`;
  }

  /** The type in words, like "string or null". */
  kind(schema) {
    const whole = this.resolve(schema);
    if (whole.anyOf) return whole.anyOf.map((part) => this.kind(part)).join(" or ");
    const values = whole.enum ?? ("const" in whole ? [whole.const] : undefined);
    if (values) return values.map((value) => code(JSON.stringify(value))).join(" or ");
    const type = [whole.type].flat().join(" or ");
    return whole.format ? `${type}, ${whole.format}` : type;
  }

  /** The limits that the description leaves out, and the default. */
  bounds(schema) {
    const whole = schema.anyOf ? { ...this.resolve(schema.anyOf[0]), ...schema } : schema;
    const { minimum, maximum, maxItems, pattern } = whole;
    const facts = [
      maximum !== undefined && `${minimum} to ${maximum}`,
      maxItems !== undefined && `at most ${maxItems}`,
      "default" in whole && `default ${code(JSON.stringify(whole.default))}`,
      pattern && `matches ${code(pattern)}`,
    ].filter(Boolean);
    return facts.length > 0 ? `<p class="bounds">${facts.join(" · ")}</p>` : "";
  }

  // -------------------------------------------------------------------------------------------
  // Examples

  request({ method, path, summary }, scheme, parameters, type, body) {
    const value = ({ example, schema }) => example ?? this.resolve(schema).example;
    const filled = parameters.filter(({ in: place }) => place === "path").reduce((text, parameter) => text.replace(`{${parameter.name}}`, value(parameter)), path);
    const lines = [
      `curl "$VAULT${filled}"${method === "delete" ? " -X DELETE" : method === "post" && !body ? " -X POST" : ""}`,
      scheme && `  -H "Authorization: Bearer ${CREDENTIALS[scheme]}"`,
      ...(body ? this.sent(type, this.resolve(body.schema).example) : []),
    ].filter(Boolean);
    return figure(`${summary}: request`, "Request", lines.join(" \\\n"));
  }

  /** How curl is told what to send. */
  sent(type, example) {
    if (type === FORM) return Object.entries(example).map(([name, value]) => `  --data-urlencode '${name}=${value}'`);
    return [`  -H 'Content-Type: ${type}'`, `  -d '${JSON.stringify(example, null, 2).replaceAll("\n", "\n  ")}'`];
  }

  example(summary, status, { content }) {
    const media = content?.["application/json"];
    const value = media && (media.example ?? this.resolve(media.schema).example);
    return value === undefined ? "" : figure(`${summary}: answer ${status}`, `Answer <span class="status">${status}</span>`, JSON.stringify(value, null, 2));
  }
}

const badge = (method) => `<span class="method method-${method}">${method.toUpperCase()}</span>`;

/** A scrollable example, which the keyboard reaches too. */
const figure = (label, title, text) =>
  `<figure><figcaption>${title}</figcaption><pre tabindex="0" role="region" aria-label="${escape(label)}"><code>${escape(text)}</code></pre></figure>`;

const table = (kind, [first, second], rows) =>
  `<table class="${kind}"><thead><tr><th scope="col">${first}</th><th scope="col">${second}</th></tr></thead><tbody>${rows.join("")}</tbody></table>`;
