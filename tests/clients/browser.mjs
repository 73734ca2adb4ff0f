// A browser as far as signing in needs one: cookies, redirects, plain forms.

const FORM = /<form[^>]*>[\s\S]*?<\/form>/g;
const PRESSED = ['login', 'approve', 'logout'];
const ATTRIBUTE = /(\w+)="([^"]*)"/g;

const unescaped = (text) =>
  text.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&#34;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');

export class Browser {
  #cookies = new Map();
  constructor(fields) {
    this.fields = fields;
    this.pages = []; // the paths of the pages it was shown
  }

  // Goes to `url` and on, filling in forms, until the browser is sent to an address that begins with `end`.
  async visit(url, end) {
    let answer = await this.#send(url);
    for (let step = 0; step < 20; step += 1) {
      const location = answer.headers.get('location');
      if (location !== null) {
        const next = new URL(location, url);
        if (next.href.startsWith(end)) return next;
        url = next;
        answer = await this.#send(url);
      } else {
        const page = await answer.text();
        this.pages.push(new URL(url).pathname);
        if (answer.status !== 200) throw new Error(`${answer.status} at ${url}: ${page.slice(0, 800)}`);
        [url, answer] = await this.#submit(url, page);
      }
    }
    throw new Error(`never came to ${end}`);
  }

  // The text of a page that ends the walk.
  async read(url) {
    let answer = await this.#send(url);
    while (answer.headers.get('location') !== null) {
      url = new URL(answer.headers.get('location'), url);
      answer = await this.#send(url);
    }
    return { status: answer.status, text: await answer.text() };
  }

  async #submit(url, page) {
    const forms = page.match(FORM) ?? [];
    const form = forms.findLast((one) => PRESSED.some((id) => one.includes(`id="${id}"`)));
    if (form === undefined) throw new Error(`no form to fill in at ${url}: ${page.slice(0, 800)}`);
    const tags = (form.match(/<(form|input|button)[^>]*>/g) ?? []).map((tag) => ({
      ...Object.fromEntries([...tag.matchAll(ATTRIBUTE)].map(([, name, value]) => [name, unescaped(value)])),
      isButton: tag.startsWith('<button'),
    }));
    const sent = new URLSearchParams();
    for (const tag of tags.slice(1)) {
      const pressed = PRESSED.includes(tag.id);
      if (tag.name && (!tag.isButton || pressed)) sent.set(tag.name, this.fields[tag.name] ?? tag.value ?? '');
    }
    const action = new URL(tags[0].action || url, url);
    return [action, await this.#send(action, { method: 'POST', body: sent })];
  }

  async #send(url, options = {}) {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(url, { ...options, redirect: 'manual', headers: { cookie, 'accept-language': 'en' } });
    for (const line of answer.headers.getSetCookie()) {
      const [name, value] = line.split(';')[0].split(/=(.*)/s);
      if (/max-age=0/i.test(line)) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
    return answer;
  }
}
