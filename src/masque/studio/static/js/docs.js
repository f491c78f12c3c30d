// Shows the API's description with Swagger UI, which the server itself has.
// @ts-check

/** @type {any} */ (window).SwaggerUIBundle({ url: "/openapi.json", dom_id: "#swagger", deepLinking: true });
