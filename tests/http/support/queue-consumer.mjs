// A Worker that keeps what it gets from a Queue, and tells it on request.

export const QUEUE_CONSUMER = `
const messages = [];
export default {
  queue(batch) {
    messages.push(...batch.messages.map(({ body }) => body));
  },
  fetch() {
    return Response.json(messages);
  },
};
`;
