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

ReactDOM.createRoot(document.getElementById("graphiql")).render(
  React.createElement(GraphiQL, {
    fetcher: GraphiQL.createFetcher({ url: window.location.pathname }),
    defaultQuery: firstQuery,
    defaultEditorToolsVisibility: "headers",
    shouldPersistHeaders: true,
  }),
);
