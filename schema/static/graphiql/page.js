// GraphiQL against the endpoint that served the page. Put a token under "Headers":
//   {"Authorization": "Bearer …"}     (traverse token --as employer prints one)
const firstQuery = `# Who am I? Open "Headers" below and put a token there:
#   {"Authorization": "Bearer …"}      (print one: traverse token --as employer)
query WhoAmI {
  viewer {
    kind
    permissions
    organization {
      ... on Company {
        name
        siret
      }
    }
  }
}
`;

// Subscriptions go over a WebSocket; what stands under "Headers" becomes the payload of its first message.
const { protocol, host, pathname } = window.location;
const subscriptionUrl = `${protocol === "https:" ? "wss:" : "ws:"}//${host}${pathname}`;

ReactDOM.createRoot(document.getElementById("graphiql")).render(
  React.createElement(GraphiQL, {
    fetcher: GraphiQL.createFetcher({ url: pathname, subscriptionUrl }),
    defaultQuery: firstQuery,
    defaultEditorToolsVisibility: "headers",
    shouldPersistHeaders: true,
  }),
);
